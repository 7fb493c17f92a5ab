// Parts of files on their way to many at once: what one has just been given, another is given as well, and it is in memory once.
// Knows no file and no format.

/** Not to be written to: others have it, too. */
export interface Part {
  /** As it is sent. */
  readonly bytes: Buffer;
  /** What of these bytes is content, in order. */
  readonly content: readonly Buffer[];
}

/** So much of a file is read at once: each client that is waited for holds as much. */
export const partBytes = 256 * 1024;

export class SharedReads {
  readonly #mostBytes: number;
  /** Used longest ago first. */
  readonly #parts = new Map<string, Promise<Part>>();
  readonly #sizes = new Map<string, number>();
  #sizeBytes = 0;

  /** @param mostBytes what is kept for those who may ask for it next */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The part of that key, which is never of anything else. @throws what `read` throws */
  part(key: string, read: () => Promise<Part>): Promise<Part> {
    const known = this.#parts.get(key);
    if (known !== undefined) {
      this.#parts.delete(key);
      this.#parts.set(key, known);
      return known;
    }
    const reading = read();
    this.#parts.set(key, reading);
    reading.then(
      ({ bytes }) => this.#count(key, bytes.byteLength),
      () => this.#parts.delete(key),
    );
    return reading;
  }

  #count(key: string, sizeBytes: number): void {
    this.#sizes.set(key, sizeBytes);
    this.#sizeBytes += sizeBytes;
    for (const [oldest, size] of this.#oldest()) {
      if (this.#sizeBytes <= this.#mostBytes) return;
      this.#parts.delete(oldest);
      this.#sizes.delete(oldest);
      this.#sizeBytes -= size;
    }
  }

  // What is still being read has no size yet, and stays.
  *#oldest(): Generator<[string, number]> {
    for (const key of this.#parts.keys()) {
      const size = this.#sizes.get(key);
      if (size !== undefined) yield [key, size];
    }
  }
}
