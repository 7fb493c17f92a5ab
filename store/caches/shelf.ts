// Where the files of a cache lie when there is no service: a folder, or a web server. A shelf knows names and bytes, and nothing
// of what they mean. Types only.

export interface Shelf {
  /** For people: without secrets. */
  readonly name: string;
  /** The bytes under a name; undefined when there is nothing. @throws when it cannot be asked */
  read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  has(name: string, signal: AbortSignal): Promise<boolean>;
  /** Puts all of it there, in place of what there is, or nothing: nobody sees half a file. @throws when it cannot */
  write(name: string, content: ShelfContent, signal: AbortSignal): Promise<void>;
  /**
   * Adds lines to a text. Of two that do so at once neither may destroy the other's, as far as the place has a way to prevent
   * that. @throws when it cannot
   */
  append(name: string, lines: string, signal: AbortSignal): Promise<void>;
  /** Takes a file away, if it is there. @throws when it cannot */
  remove(name: string, signal: AbortSignal): Promise<void>;
  /** All files; not there where a place cannot tell. */
  readonly names?: (signal: AbortSignal) => Promise<readonly string[]>;
}

/** Bytes whose size is known before they are sent. */
export interface ShelfContent {
  readonly sizeBytes: number;
  /** May be asked for more than once. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}
