// How long to wait for a server, and how often to ask again. Knows nothing of what is asked.

import { setTimeout as pause } from 'node:timers/promises';
import { sliceBytes, type CachePatience } from '../caches/patience.ts';
import { isPassing } from './failure.ts';

export interface Patience extends CachePatience {
  /** How often something is tried in all. */
  readonly tries: number;
  /** Before the second try; twice as long before each further one, and up to half of it less, by chance. */
  readonly pauseMs: number;
}

/** Of whoever has steps done: what is given up too soon costs them anew. */
export const usualPatience: Patience = { firstMs: 10_000, idleMs: 20_000, tries: 4, pauseMs: 100 };

/** What of a call takes its time, beside the answer itself. */
export interface Load {
  /** On its way, here or there. */
  readonly movedBytes?: number;
  /** What the server goes through before it answers, which is faster than any line that is slow. */
  readonly workedBytes?: number;
}

const workedShare = 1 / 64;
/** As much as a timer can do. */
const longestMs = 2 ** 31 - 1;

/** How long what carries so much is waited for: as long as anything is, and as long again for each slice. */
export function waitMs(idleMs: number, { movedBytes = 0, workedBytes = 0 }: Load = {}): number {
  const slices = (movedBytes + workedBytes * workedShare) / sliceBytes;
  return Math.min(longestMs, idleMs * (1 + slices));
}

/**
 * Tries again what failed in passing.
 * @throws what the last try threw; the signal's reason.
 */
export async function trying<T>(
  patience: Patience,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (tries >= patience.tries || !isPassing(error)) throw error;
      await pauseBefore(tries, patience, signal);
    }
  }
}

/** Waits after a try, counted from 1, that failed. @throws the signal's reason */
export async function pauseBefore(tries: number, patience: Patience, signal: AbortSignal): Promise<void> {
  await pauseFor(pauseMsAfter(tries, patience), signal);
}

/** How long to wait after a try, counted from 1, that failed. */
export function pauseMsAfter(tries: number, { pauseMs }: Patience): number {
  return pauseMs * 2 ** (tries - 1) * (1 - Math.random() / 2);
}

/** @throws the signal's reason */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
