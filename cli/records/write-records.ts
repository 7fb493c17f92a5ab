// The one way by which records leave: a line each, with the version of the schema in front.

import { textsOf, writeAsTheyLeave, type Output } from '../terminal/output.ts';
import type { JsonRecord, recordsVersion } from './definitions.ts';

// A type, so that the definitions are not loaded with every command.
const version: typeof recordsVersion = 1;

export function writeRecords(out: Output, records: Iterable<JsonRecord>): void {
  out.lines(linesOf(records));
}

/** The same for more records than need be in memory together, no faster than they leave. */
export function writeManyRecords(out: Output, records: Iterable<JsonRecord>): Promise<void> {
  return writeAsTheyLeave(out, linesOf(records));
}

/**
 * Records as they come, each of which leaves at once if it can. Those that a slow reader has not come to are not in memory as
 * text: of a plan of a hundred thousand steps, lines are made as they are read.
 */
export class LeavingRecords {
  readonly #out: Pick<Output, 'write' | 'flush' | 'isBehind'>;
  readonly #waiting: Iterator<string>[] = [];
  #leaving: Promise<void> | undefined;

  constructor(out: Pick<Output, 'write' | 'flush' | 'isBehind'>) {
    this.#out = out;
  }

  add(records: Iterable<JsonRecord>): void {
    this.#waiting.push(textsOf(linesOf(records)));
    if (this.#leaving === undefined && this.#writeSome()) this.#leaving = this.#leave();
  }

  /** Waits until all are written, or nothing can be written any more, which flushing the output tells. */
  async left(): Promise<void> {
    await this.#leaving;
  }

  async #leave(): Promise<void> {
    try {
      do await this.#out.flush();
      while (this.#writeSome());
    } catch {
      // Nothing more leaves; whoever flushes at the end is told why.
      this.#waiting.length = 0;
    } finally {
      this.#leaving = undefined;
    }
  }

  /** Writes until the reader is behind. True when something is left. */
  #writeSome(): boolean {
    for (let texts = this.#waiting[0]; texts !== undefined; texts = this.#waiting[0]) {
      const next = texts.next();
      if (next.done === true) this.#waiting.shift();
      else this.#out.write(next.value);
      if (this.#out.isBehind()) return true;
    }
    return false;
  }
}

function* linesOf(records: Iterable<JsonRecord>): Generator<string> {
  for (const record of records) yield JSON.stringify({ v: version, ...record });
}
