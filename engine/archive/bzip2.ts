// bzip2 by libbzip2 (wasm-bz2), which checks every block's CRC. Blocks are decoded several at a time, on threads; here they
// are put in order, and the CRC of every stream is checked.

import { malformed } from './bad-archive.ts';
import { BlocksAhead } from './bzip2-ahead.ts';
import { checksumAfterMark } from './bzip2-block.ts';
import {
  bzip2Marks,
  checksumBits,
  levelAt,
  markBits,
  MarkQueue,
  streamEnd,
  type Mark,
} from './bzip2-marks.ts';
import { Bzip2Threads } from './bzip2-threads.ts';
import type { FileRange } from './file-range.ts';

/** How many marks a block may hold by chance. */
const mostChanceMarks = 2;

/** Streams that follow each other are one, and what follows them is ignored, as with bzip2(1), unless a stream begins there. */
export async function* bunzip2(
  compressed: FileRange,
  marks: Iterator<Mark> = bzip2Marks(compressed),
): AsyncGenerator<Buffer, void, undefined> {
  const threads = new Bzip2Threads();
  try {
    yield* new BlockReader(compressed, new MarkQueue(marks), threads).readAll();
  } finally {
    await threads.close();
  }
}

class BlockReader {
  readonly #file: FileRange;
  readonly #marks: MarkQueue;
  readonly #ahead: BlocksAhead;

  constructor(file: FileRange, marks: MarkQueue, threads: Bzip2Threads) {
    this.#file = file;
    this.#marks = marks;
    this.#ahead = new BlocksAhead(file, marks, threads);
  }

  async *readAll(): AsyncGenerator<Buffer, void, undefined> {
    let startByte = 0;
    while (levelAt(this.#file, startByte) !== undefined) {
      if (this.#marks.at(0)?.bit !== (startByte + 4) * 8) damaged();
      let checksum = 0;
      for (let mark = this.#marks.at(0); mark?.kind === 'block'; mark = this.#marks.at(0)) {
        checksum = (((checksum << 1) | (checksum >>> 31)) ^ this.#checksum(mark)) >>> 0;
        const plain = await this.#takeBlock();
        yield Buffer.from(plain.buffer, plain.byteOffset, plain.length);
      }
      const end = this.#marks.at(0) ?? cutShort();
      if (checksum !== this.#checksum(end)) malformed('its bzip2 data has a wrong checksum');
      startByte = streamEnd(end.bit);
      this.#ahead.drop(1);
    }
    if (/^B(Z(h)?)?$/.test(this.#file.read(startByte, 4).toString('latin1'))) cutShort();
  }

  /** The block that is now first, which goes. */
  async #takeBlock(): Promise<Uint8Array> {
    if (this.#marks.at(1) === undefined) cutShort();
    let plain = await this.#ahead.first();
    let end = 1;
    while (plain === undefined && end <= mostChanceMarks && this.#marks.at(end + 1) !== undefined)
      plain = await this.#ahead.firstUpTo(++end);
    this.#ahead.drop(end);
    return plain ?? damaged();
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
