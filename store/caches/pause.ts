// The wait before something is tried again: longer each time, and not for all who wait at the same time.

import { setTimeout as sleep } from 'node:timers/promises';

/** Doubles `firstMs` with each attempt there was, give or take a half. @throws the signal's reason when it is aborted */
export function pause(firstMs: number, attempts: number, signal: AbortSignal): Promise<void> {
  return sleep(firstMs * 2 ** attempts * (0.5 + Math.random()), undefined, { signal });
}
