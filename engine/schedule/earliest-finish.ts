// Where a command is expected to be finished first, when several executors may have it. Pure: told how they stand, and the time.
// An expectation decides only where and when something is done, never what comes of it.

import type { Pace } from './pace.ts';

/** What is known of a command before it is done. */
export interface Work {
  /** How long it took the last time, in milliseconds. */
  readonly durationMs: number;
  /** Processor time that it took then, in milliseconds, where it was measured. */
  readonly cpuMs: number | undefined;
}

/** What doing it at one executor brings with it. */
export interface Doing {
  /** Processor cores that it would have to itself. */
  readonly cores: number;
  /** Bytes that come to where it is done before it begins, and go from there when it has ended. */
  readonly movedBytes: number;
  readonly pace: Pick<Pace, 'overheadMs' | 'bytesPerSecond'>;
}

/** An executor as it stands. */
export interface Place<Pool = string> {
  readonly pool: Pool;
  /** True: what is given to it now begins now. */
  readonly hasRoom: boolean;
  /** In how many milliseconds each of those that it is doing is expected to end. */
  readonly endsInMs: readonly number[];
  /** How many milliseconds each of those takes that wait for it already and come first. */
  readonly aheadMs: readonly number[];
  /** How many milliseconds it would take for the command in question. */
  readonly takesMs: number;
}

export interface Finish<Pool = string> {
  readonly pool: Pool;
  /** After how many milliseconds it would begin; 0: now. */
  readonly waitMs: number;
}

/** How long a command is expected to take, in milliseconds. One that kept many cores busy takes longer where it has fewer. */
export function expectedMs({ durationMs, cpuMs }: Work, { cores, movedBytes, pace }: Doing): number {
  const computingMs = Math.max(durationMs, (cpuMs ?? 0) / Math.max(1, cores));
  return pace.overheadMs + (movedBytes / pace.bytesPerSecond) * 1000 + computingMs;
}

/**
 * How long something under way is expected to go on, in milliseconds. What has run for longer than was expected goes on for as long
 * again: so nobody waits for ever for what has turned out to be endless.
 */
export function leftMs(ranMs: number, takesMs: number): number {
  return ranMs < takesMs ? takesMs - ranMs : ranMs;
}

/** The place where the end comes first; of equal ones the first. */
export function earliestFinish<Pool>(places: readonly Place<Pool>[]): Finish<Pool> | undefined {
  let best: (Finish<Pool> & { readonly endMs: number }) | undefined;
  for (const place of places) {
    const { pool, takesMs } = place;
    const waitMs = place.hasRoom ? 0 : waitMsFor(place);
    const endMs = waitMs + takesMs;
    if (best === undefined || endMs < best.endMs) best = { pool, waitMs, endMs };
  }
  return best && { pool: best.pool, waitMs: best.waitMs };
}

// Each of those ahead takes the slot that is free first, as this one does after them.
function waitMsFor({ endsInMs, aheadMs }: Place<unknown>): number {
  const freeInMs = [...endsInMs];
  // All its slots are kept for what begins within moments: nobody knows for how long.
  if (freeInMs.length === 0) return 0;
  for (const each of aheadMs) {
    const first = indexOfLeast(freeInMs);
    freeInMs[first] = freeInMs[first]! + each;
  }
  return freeInMs[indexOfLeast(freeInMs)]!;
}

function indexOfLeast(values: readonly number[]): number {
  let least = 0;
  for (const [at, value] of values.entries()) if (value < values[least]!) least = at;
  return least;
}
