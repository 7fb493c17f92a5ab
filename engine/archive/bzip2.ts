// bzip2 by libbzip2 (wasm-bz2), which checks every block's CRC. Blocks are decoded several at a time, each on a thread;
// here they are put in order, and the CRC of every stream is checked.

import { malformed } from './bad-archive.ts';
import { checksumAfterMark, type Bzip2Block } from './bzip2-block.ts';
import { bzip2Marks, checksumBits, levelAt, markBits, streamEnd, type Mark } from './bzip2-marks.ts';
import { Bzip2Threads } from './bzip2-threads.ts';
import type { FileRange } from './file-range.ts';

/** More than any block takes: one is at most 900,000 bytes before it gets smaller. */
const largestBlockBytes = 2 * 2 ** 20;
/** How many marks a block may hold by chance. */
const mostChanceMarks = 2;

/** Streams that follow each other are one, and what follows them is ignored, as with bzip2(1). */
export async function* bunzip2(
  compressed: FileRange,
  marks: Generator<Mark> = bzip2Marks(compressed),
): AsyncGenerator<Buffer, void, undefined> {
  const threads = new Bzip2Threads();
  try {
    yield* new BlockReader(compressed, marks, threads).readAll();
  } finally {
    await threads.close();
  }
}

class BlockReader {
  readonly #file: FileRange;
  readonly #threads: Bzip2Threads;
  readonly #source: Generator<Mark>;
  /** Those that have been found, from the one that is read now. */
  readonly #marks: Mark[] = [];
  /** What is decoded ahead, by the bit where its block begins. */
  readonly #ahead = new Map<number, Promise<Uint8Array | undefined>>();

  constructor(file: FileRange, marks: Generator<Mark>, threads: Bzip2Threads) {
    this.#file = file;
    this.#threads = threads;
    this.#source = marks;
  }

  async *readAll(): AsyncGenerator<Buffer, void, undefined> {
    let startByte = 0;
    while (levelAt(this.#file, startByte) !== undefined) {
      if (this.#mark(0)?.bit !== (startByte + 4) * 8) damaged();
      let checksum = 0;
      for (let mark = this.#mark(0); mark?.kind === 'block'; mark = this.#mark(0)) {
        checksum = (((checksum << 1) | (checksum >>> 31)) ^ this.#checksum(mark)) >>> 0;
        const plain = await this.#decode();
        yield Buffer.from(plain.buffer, plain.byteOffset, plain.length);
      }
      const end = this.#mark(0) ?? cutShort();
      if (checksum !== this.#checksum(end)) malformed('its bzip2 data has a wrong checksum');
      startByte = streamEnd(end.bit);
      this.#marks.shift();
    }
  }

  /** The block that is now first, which goes. */
  async #decode(): Promise<Uint8Array> {
    // Twice as many as threads, so that none has to wait for its next.
    for (let at = 0; at < this.#threads.count * 2; at++) this.#startAhead(at);
    const { bit } = this.#mark(0)!;
    let plain = await this.#ahead.get(bit);
    let count = 1;
    if (this.#mark(1) === undefined) cutShort();
    while (plain === undefined && count <= mostChanceMarks && this.#mark(count + 1) !== undefined)
      plain = await this.#threads.decode(this.#block(0, ++count));
    for (const mark of this.#marks.splice(0, count)) this.#ahead.delete(mark.bit);
    return plain ?? damaged();
  }

  #startAhead(at: number): void {
    const mark = this.#mark(at);
    if (mark?.kind !== 'block' || this.#ahead.has(mark.bit) || this.#mark(at + 1) === undefined) return;
    const decoding = this.#threads.decode(this.#block(at, at + 1));
    // An error counts when it is this block's turn.
    decoding.catch(() => undefined);
    this.#ahead.set(mark.bit, decoding);
  }

  #mark(at: number): Mark | undefined {
    while (this.#marks.length <= at) {
      const next = this.#source.next();
      if (next.done === true) return undefined;
      this.#marks.push(next.value);
    }
    return this.#marks[at];
  }

  // From one mark to another.
  #block(from: number, to: number): Bzip2Block {
    const [{ bit, level }, end] = [this.#mark(from)!, this.#mark(to) ?? cutShort()];
    const [start, sizeBytes] = [Math.floor(bit / 8), Math.ceil(end.bit / 8) - Math.floor(bit / 8)];
    if (sizeBytes > largestBlockBytes) damaged();
    return {
      bytes: this.#file.read(start, sizeBytes),
      firstBit: bit % 8,
      bits: end.bit - bit,
      level,
    };
  }

  // Of a block, or of the whole stream: it follows the mark.
  #checksum({ bit }: Mark): number {
    const bytes = this.#file.read(Math.floor(bit / 8), streamEnd(bit) - Math.floor(bit / 8));
    if (bytes.length * 8 < (bit % 8) + markBits + checksumBits) cutShort();
    return checksumAfterMark(bytes, bit % 8);
  }
}

function damaged(): never {
  malformed('its bzip2 data is damaged or cut short');
}

function cutShort(): never {
  malformed('its bzip2 data is damaged or cut short (it does not end)');
}
