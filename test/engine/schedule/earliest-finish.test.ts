// Where a command is expected to be finished first: cases that can be worked out by hand.

import { describe, expect, it } from 'vitest';
import { earliestFinish, expectedMs, leftMs, type Place } from '../../../engine/schedule/earliest-finish.ts';
import { usualPace } from '../../../engine/schedule/pace.ts';

const alone = { cores: 1, movedBytes: 0, pace: usualPace };

const away = (takesMs: number, rest: Partial<Place> = {}): Place => ({
  pool: 'run:away',
  ...{ hasRoom: true, endsInMs: [], aheadMs: [], takesMs },
  ...rest,
});
const here = (takesMs: number, rest: Partial<Place> = {}): Place => ({
  ...away(takesMs, rest),
  pool: 'run:here',
});

describe('how long a command is expected to take', () => {
  it('is what it took the last time, and what is moved for it, and all else', () => {
    const moving = { cores: 1, movedBytes: 60_000_000, pace: { ...usualPace, overheadMs: 1000 } };
    expect(expectedMs({ durationMs: 10_000, cpuMs: undefined }, moving)).toBe(14_000);
  });

  it('is longer where it has fewer cores than it kept busy', () => {
    const four = { durationMs: 10_000, cpuMs: 40_000 };
    expect(expectedMs(four, alone)).toBe(40_000);
    expect(expectedMs(four, { ...alone, cores: 2 })).toBe(20_000);
    expect(expectedMs(four, { ...alone, cores: 4 })).toBe(10_000);
    expect(expectedMs(four, { ...alone, cores: 64 })).toBe(10_000);
  });

  it('is not shorter for one that waited more than it computed', () => {
    expect(expectedMs({ durationMs: 10_000, cpuMs: 100 }, alone)).toBe(10_000);
  });
});

describe('how long something under way is expected to go on', () => {
  it('is the rest of what it takes, and as long again as it has taken once that is over', () => {
    expect([leftMs(0, 10), leftMs(4, 10), leftMs(10, 10), leftMs(25, 10)]).toEqual([10, 6, 10, 25]);
  });
});

describe('a command', () => {
  it('is done where it takes less, when there is room in both places', () => {
    expect(earliestFinish([away(9), here(10)])).toEqual({ pool: 'run:away', waitMs: 0 });
    expect(earliestFinish([away(11), here(10)])).toEqual({ pool: 'run:here', waitMs: 0 });
  });

  it('is done in the first place, when both are equally good', () => {
    expect(earliestFinish([away(10), here(10)])?.pool).toBe('run:away');
    expect(earliestFinish([here(10), away(10)])?.pool).toBe('run:here');
  });

  it('waits for a slot where it would be finished before it could be elsewhere', () => {
    const busy = { hasRoom: false, endsInMs: [30, 5, 20] };
    expect(earliestFinish([away(20), here(10, busy)])).toEqual({ pool: 'run:here', waitMs: 5 });
    expect(earliestFinish([away(14), here(10, busy)])).toEqual({ pool: 'run:away', waitMs: 0 });
  });

  it('counts those who wait for the same slots and come first', () => {
    // The first ahead has a slot from 5 to 17 ms, the second the same one from 17 to 29: the next is free after 20.
    const busy = { hasRoom: false, endsInMs: [30, 5, 20], aheadMs: [12, 12] };
    expect(earliestFinish([away(31), here(10, busy)])).toEqual({ pool: 'run:here', waitMs: 20 });
    expect(earliestFinish([away(29), here(10, busy)])).toEqual({ pool: 'run:away', waitMs: 0 });
  });

  it('goes nowhere where there is no place', () => {
    expect(earliestFinish([])).toBeUndefined();
  });
});
