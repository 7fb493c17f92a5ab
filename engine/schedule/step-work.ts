// What the scheduler and whoever does a step say to each other, beside outcomes. Types only.

import type { PoolName } from './slots.ts';

/** A started step's hold on its slot. */
export interface StepSlot {
  /** Which slot it is; for a command, that of the executor that is to run it. */
  readonly pool: PoolName;
  /** Says that the work is done, and that what follows is only recording it: the slot may be somebody else's. */
  workIsDone(): void;
}

/** Another process is doing the same step. */
export interface Busy {
  readonly kind: 'busy';
  /** Resolves when it has ended, one way or the other. @throws the signal's reason */
  readonly freed: (signal: AbortSignal) => Promise<void>;
}
