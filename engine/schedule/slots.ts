// How many steps of each kind may be under way at once (p-limit). A slot is taken by whoever decides what is next, when it
// decides; whoever waits for another step or another process does so outside.

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

/** A slot that was taken. */
export interface Slot {
  /** Gives it back before the step has ended, for what is left is not its work; a second call does nothing. */
  giveBack(): void;
  /** Resolves when the next one can have it. */
  readonly isBack: Promise<void>;
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

  /** True when a slot of this kind can be taken now. */
  isFree(kind: SlotKind): boolean {
    const pool = this.#pools[kind];
    return pool.activeCount + pool.pendingCount < pool.concurrency;
  }

  /** Takes a free slot: from now on it counts as taken. */
  take(kind: SlotKind): Slot {
    let giveBack!: () => void;
    const given = new Promise<void>((resolve) => (giveBack = resolve));
    return { giveBack, isBack: this.#pools[kind](() => given) };
  }

  /** Does work in a slot, as soon as there is one. */
  use<T>(kind: SlotKind, work: () => Promise<T>): Promise<T> {
    return this.#pools[kind](work);
  }
}
