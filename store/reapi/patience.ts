// How long to wait for a server, and how often to ask again. Knows nothing of what is asked.

import { setTimeout as pause } from 'node:timers/promises';
import { isPassing } from './failure.ts';

export interface Patience {
  /** For an answer to a single question. */
  readonly answerMs: number;
  /** For the next piece of a stream, in either direction. */
  readonly idleMs: number;
  /** How often something is tried in all. */
  readonly tries: number;
  /** Before the second try; twice as long before each further one, and up to half of it less, by chance. */
  readonly pauseMs: number;
}

export const usualPatience: Patience = { answerMs: 20_000, idleMs: 10_000, tries: 4, pauseMs: 100 };

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
