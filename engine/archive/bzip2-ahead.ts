// The blocks of a bzip2 file, decoded on threads before it is their turn. Of small ones many go in one message, which costs
// as much as decoding some 20 kB. Knows nothing of streams and their checksums.

import type { Bzip2Block } from './bzip2-block.ts';
import type { Mark, MarkQueue } from './bzip2-marks.ts';
import type { Bzip2Threads } from './bzip2-threads.ts';
import type { FileRange } from './file-range.ts';

/** More than any block takes: one is at most 900,000 bytes before it gets smaller. */
const largestBits = 8 * 2 * 2 ** 20;
/** How much is asked of a thread at once, if all blocks are as large as the largest until now. */
const plainBytesInJob = 2 ** 20;
const mostBlocksInJob = 64;

/** A block's mark, and the one where it ends. */
type Span = readonly [Mark, Mark];

/** Blocks that one thread decodes, one after the other. */
interface Job {
  /** Fewer than were asked for where they became too much. */
  readonly plains: Promise<readonly (Uint8Array | undefined)[]>;
  /** How many of them have not been dropped. */
  left: number;
}

export class BlocksAhead {
  readonly #file: FileRange;
  readonly #marks: MarkQueue;
  readonly #threads: Bzip2Threads;
  /** By the bit where a block begins: its job, and which one of that it is. */
  readonly #places = new Map<number, { readonly job: Job; readonly at: number }>();
  #jobs = 0;
  /** How many marks, from the first one that is left, have been seen to. */
  #seen = 0;
  #largestPlainBytes: number | undefined;

  constructor(file: FileRange, marks: MarkQueue, threads: Bzip2Threads) {
    this.#file = file;
    this.#marks = marks;
    this.#threads = threads;
  }

  /** What the block at the first mark holds; undefined when it is damaged. There has to be a second mark. */
  async first(): Promise<Uint8Array | undefined> {
    // Twice as many as threads, so that none has to wait for its next.
    while (this.#jobs < this.#threads.count * 2 && this.#startJob());
    const place = this.#places.get(this.#marks.at(0)!.bit);
    const plains = await place?.job.plains;
    const plain = place && plains && place.at < plains.length ? plains[place.at] : await this.firstUpTo(1);
    this.#largestPlainBytes = Math.max(this.#largestPlainBytes ?? 0, plain?.length ?? 0);
    return plain;
  }

  /** The same, if the block ends only at mark number `end`, and those between came about by chance. */
  async firstUpTo(end: number): Promise<Uint8Array | undefined> {
    const span: Span = [this.#marks.at(0)!, this.#marks.at(end)!];
    if (span[1].bit - span[0].bit > largestBits) return undefined;
    return (await this.#threads.decode(this.#read([span])))[0];
  }

  /** The first marks are done with. */
  drop(count: number): void {
    for (const { bit } of this.#marks.take(count)) {
      const job = this.#places.get(bit)?.job;
      this.#places.delete(bit);
      if (job && --job.left === 0) this.#jobs -= 1;
    }
    this.#seen = Math.max(0, this.#seen - count);
  }

  #startJob(): boolean {
    const spans: Span[] = [];
    for (; spans.length < this.#blocksInJob(); this.#seen += 1) {
      const [mark, end] = [this.#marks.at(this.#seen), this.#marks.at(this.#seen + 1)];
      if (mark === undefined) break;
      if (mark.kind === 'end') continue;
      if (end === undefined || end.bit - (spans[0]?.[0] ?? mark).bit > largestBits) break;
      spans.push([mark, end]);
    }
    if (spans.length === 0) return false;
    const job: Job = { plains: this.#threads.decode(this.#read(spans)), left: spans.length };
    // An error counts when it is this job's turn.
    job.plains.catch(() => undefined);
    this.#jobs += 1;
    for (const [at, [{ bit }]] of spans.entries()) this.#places.set(bit, { job, at });
    return true;
  }

  #blocksInJob(): number {
    if (this.#largestPlainBytes === undefined) return 1;
    return Math.min(mostBlocksInJob, Math.max(1, plainBytesInJob / Math.max(1, this.#largestPlainBytes)));
  }

  // Parts of one buffer, which a message copies once.
  #read(spans: readonly Span[]): readonly Bzip2Block[] {
    const start = Math.floor(spans[0]![0].bit / 8);
    const bytes = this.#file.read(start, Math.ceil(spans.at(-1)![1].bit / 8) - start);
    return spans.map(([{ bit, level }, end]) => ({
      bytes: bytes.subarray(Math.floor(bit / 8) - start, Math.ceil(end.bit / 8) - start),
      firstBit: bit % 8,
      bits: end.bit - bit,
      level,
    }));
  }
}
