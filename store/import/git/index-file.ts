// Which paths git tracks: the names in a repository's index file (gitformat-index(5), versions 2 to 4). Knows nothing of
// what is recorded of each.

import { createHash } from 'node:crypto';

/** An index that is damaged, or of a form that is not read here. */
export class UnreadableIndex extends Error {
  override readonly name = 'UnreadableIndex';
}

/** Sorted paths, as bytes relative to the top of the work tree. */
export class TrackedPaths {
  /** Each ended by NUL. */
  readonly #names: Buffer;
  readonly #starts: readonly number[];

  constructor(names: Buffer, starts: readonly number[]) {
    this.#names = names;
    this.#starts = starts;
  }

  /** True for a file that is tracked, and for a directory that is another repository (a submodule). */
  has(path: string): boolean {
    return this.#firstFrom(`${path}\0`).startsWith(`${path}\0`);
  }

  hasBelow(directory: string): boolean {
    return this.#firstFrom(`${directory}/`).startsWith(`${directory}/`);
  }

  /** Equal when the same paths are tracked below a directory; '' is the top of the work tree. */
  idBelow(directory: string): string {
    const names = directory === '' ? this.#names : this.#between(`${directory}/`, `${directory}0`);
    return createHash('sha256').update(names).digest('hex');
  }

  #between(first: string, last: string): Buffer {
    return this.#names.subarray(this.#offset(this.#search(first)), this.#offset(this.#search(last)));
  }

  #firstFrom(text: string): string {
    const at = this.#search(text);
    return this.#names.toString('latin1', this.#offset(at), this.#offset(at + 1));
  }

  // The number of the first name that is not before a text.
  #search(text: string): number {
    const wanted = Buffer.from(text, 'latin1');
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const name = this.#names.subarray(this.#offset(middle), this.#offset(middle + 1));
      if (Buffer.compare(name, wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #offset(at: number): number {
    return this.#starts[at] ?? this.#names.length;
  }
}

export const nothingTracked = new TrackedPaths(Buffer.alloc(0), []);

/** Times, numbers and sizes of an entry, before its hash. */
const statBytes = 40;
const extendedFlag = 0x4000;
/** No path on disk is longer. */
const longestName = 4096;

/** @param hashBytes the length of a hash in this repository. @throws UnreadableIndex */
export function parseIndex(bytes: Buffer, hashBytes: number): TrackedPaths {
  try {
    return new IndexParser(bytes, hashBytes).parse();
  } catch (error) {
    if (error instanceof RangeError) throw new UnreadableIndex('is damaged', { cause: error });
    throw error;
  }
}

class IndexParser {
  readonly #bytes: Buffer;
  readonly #hashBytes: number;
  #names = Buffer.alloc(1 << 16);
  #length = 0;

  constructor(bytes: Buffer, hashBytes: number) {
    this.#bytes = bytes;
    this.#hashBytes = hashBytes;
  }

  parse(): TrackedPaths {
    const bytes = this.#bytes;
    const version = bytes.readUInt32BE(4);
    if (bytes.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4)
      throw new UnreadableIndex('has a form that is not known here');
    const count = bytes.readUInt32BE(8);
    const starts: number[] = [];
    let at = 12;
    for (let entry = 0; entry < count; entry++) {
      const before = starts.at(-1) ?? 0;
      starts.push(this.#length);
      at = version === 4 ? this.#packedEntry(at, before) : this.#entry(at);
    }
    this.#refuseParts(at);
    return new TrackedPaths(this.#names.subarray(0, this.#length), starts);
  }

  // A name ends with NUL, and with more of them until the entry is a multiple of eight long.
  #entry(start: number): number {
    const end = this.#copyName(this.#nameOffset(start));
    return start + (((end - 1 - start) >> 3) + 1) * 8;
  }

  // A name says how much of the end of the one before it goes, and what comes instead.
  #packedEntry(start: number, before: number): number {
    let at = this.#nameOffset(start);
    let byte = this.#bytes.readUInt8(at++);
    let dropped = byte & 0x7f;
    while (byte >= 0x80) {
      byte = this.#bytes.readUInt8(at++);
      dropped = (dropped + 1) * 128 + (byte & 0x7f);
    }
    const kept = Math.max(0, this.#length - 1 - before) - dropped;
    if (kept < 0) throw new RangeError('a name is shorter than what is taken from it');
    this.#reserve(kept);
    this.#names.copy(this.#names, this.#length, before, before + kept);
    this.#length += kept;
    return this.#copyName(at);
  }

  #nameOffset(start: number): number {
    const flags = this.#bytes.readUInt16BE(start + statBytes + this.#hashBytes);
    return start + statBytes + this.#hashBytes + ((flags & extendedFlag) === 0 ? 2 : 4);
  }

  // Where it ends. Byte by byte, which for names is quicker than a call for each; a kernel has 86,000.
  #copyName(start: number): number {
    const bytes = this.#bytes;
    this.#reserve(longestName);
    const names = this.#names;
    let [at, to] = [start, this.#length];
    for (const last = to + longestName; bytes[at] !== 0; at++) {
      if (at >= bytes.length || to >= last) throw new RangeError('a name has no end');
      names[to++] = bytes[at]!;
    }
    names[to++] = 0;
    this.#length = to;
    return at + 1;
  }

  #reserve(more: number): void {
    if (this.#length + more < this.#names.length) return;
    this.#names = Buffer.concat([this.#names], 2 * (this.#length + more));
  }

  // A part in small letters changes what the entries mean. The one known here says that some are directories (a sparse
  // index): nothing in those is in the work tree.
  #refuseParts(start: number): void {
    for (let at = start; at < this.#bytes.length - this.#hashBytes;) {
      const name = this.#bytes.toString('latin1', at, at + 4);
      if (/^[a-z]/.test(name) && name !== 'sdir')
        throw new UnreadableIndex(
          name === 'link' ? 'is split' : `has a part "${name}" that is not known here`,
        );
      at += 8 + this.#bytes.readUInt32BE(at + 4);
    }
  }
}
