// How many steps of each kind may be under way at once (p-limit). Only leaf work holds a slot: whoever waits for
// another step or another process does so outside.

import pLimit, { type LimitFunction } from 'p-limit';
import type { Derivation } from '../model/derivation.ts';

export type SlotKind = 'run' | 'fetch' | 'unpack' | 'inline';

export interface SlotCounts {
  /** Sandboxes at once. */
  readonly run: number;
  /** Downloads at once. */
  readonly fetch: number;
  /** Archives being unpacked at once. */
  readonly unpack: number;
}

/** Which slots a kind of derivation needs; `inline` work is done at once on the main thread. */
export function slotKind(kind: Derivation['kind']): SlotKind {
  switch (kind) {
    case 'run':
    case 'fetch':
    case 'unpack':
      return kind;
    case 'compose':
    case 'write':
    case 'local':
      return 'inline';
  }
}

/** One pool for each kind of slot. */
export class Slots {
  readonly #pools: Readonly<Record<SlotKind, LimitFunction>>;

  constructor(counts: SlotCounts) {
    const pool = (concurrency: number): LimitFunction => pLimit({ concurrency, rejectOnClear: true });
    // Inline work waits only for its batch to become durable; many may wait together and share one flush.
    this.#pools = {
      run: pool(counts.run),
      fetch: pool(counts.fetch),
      unpack: pool(counts.unpack),
      inline: pool(64),
    };
  }

  /** True when work of this kind would start at once. */
  isFree(kind: SlotKind): boolean {
    const pool = this.#pools[kind];
    return pool.activeCount + pool.pendingCount < pool.concurrency;
  }

  use<T>(kind: SlotKind, work: () => Promise<T>): Promise<T> {
    return this.#pools[kind](work);
  }
}
