// Executors that could not be reached, and are asked nothing for a while: what costs one command its time need not cost all of them
// theirs. Knows nothing of commands.

import { wallClock, type Clock } from '../schedule/clock.ts';
import type { PoolName } from '../schedule/slots.ts';
import type { TurnedAway } from './turned-away.ts';

/** Long enough that looking again costs little, short enough for a server that is started again. */
export const closedMs = 60_000;

export class ClosedPools {
  readonly #closed = new Map<PoolName, { readonly untilMs: number; readonly why: TurnedAway }>();
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(clock: Pick<Clock, 'nowMs'> = wallClock) {
    this.#clock = clock;
  }

  /** Gives false for one that is closed already. */
  close(pool: PoolName, why: TurnedAway): boolean {
    if (this.why(pool) !== undefined) return false;
    this.#closed.set(pool, { untilMs: this.#clock.nowMs() + closedMs, why });
    return true;
  }

  /** Why nothing is asked of it; undefined for one that may be asked. */
  why(pool: PoolName): TurnedAway | undefined {
    const closed = this.#closed.get(pool);
    return closed !== undefined && this.#clock.nowMs() < closed.untilMs ? closed.why : undefined;
  }
}
