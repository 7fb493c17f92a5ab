// The last import of a folder, compared with what is there now.

import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { compareSome, startComparison, type Comparison } from './compare-snapshot.ts';
import type { FilePool } from '../content/file-pool.ts';
import type { Snapshot } from './import-snapshot.ts';

/** What the last import saw, and which of it is still the same. */
export class LastImport {
  readonly snapshot: Snapshot;
  readonly #same: Uint8Array;
  /** How many directories before each are not the same. */
  readonly #changedBefore: Uint32Array;

  constructor(snapshot: Snapshot, same: Uint8Array) {
    this.snapshot = snapshot;
    this.#same = same;
    this.#changedBefore = new Uint32Array(same.length + 1);
    for (const [at, isSame] of same.entries())
      this.#changedBefore[at + 1] = this.#changedBefore[at]! + 1 - isSame;
  }

  /** True when the directory and its entries are the same, whatever happened in its subdirectories. */
  isSame(directory: number): boolean {
    return this.#same[directory] === 1;
  }

  /** True when all in it and below it is the same. */
  isUnchanged(directory: number): boolean {
    const end = this.snapshot.endOfSubtree(directory);
    return this.#changedBefore[end] === this.#changedBefore[directory];
  }
}

/** From this many entries on, starting a thread costs less than it saves. */
const entriesForThreads = 10_000;
const turnMs = 10;

/** Compares on this thread, and on others when there is enough to do. */
export async function compareLastImport(
  top: string,
  snapshot: Snapshot,
  options: { readonly pool: () => FilePool; readonly signal: AbortSignal | undefined },
): Promise<LastImport> {
  const comparison = startComparison(top, snapshot);
  const helpers = snapshot.entries < entriesForThreads ? 0 : availableParallelism() - 1;
  const helping = Promise.all(Array.from({ length: helpers }, () => options.pool().compare(comparison)));
  try {
    await compareHere(comparison, snapshot, options.signal);
  } finally {
    await helping;
  }
  return new LastImport(snapshot, comparison.same);
}

async function compareHere(
  comparison: Comparison,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<void> {
  let turnEnds = performance.now() + turnMs;
  while (signal?.aborted !== true && compareSome(comparison, snapshot)) {
    if (performance.now() < turnEnds) continue;
    await setImmediate();
    turnEnds = performance.now() + turnMs;
  }
  signal?.throwIfAborted();
}
