import { expect, test } from 'vitest';
import { ReapiFailure, TooSlow } from '../../../store/reapi/failure.ts';
import { trying, usualPatience, waitMs } from '../../../store/reapi/patience.ts';

const { signal } = new AbortController();
const slice = 256 << 10;

test('a call is waited for as long as patience goes, and as long again for each slice that it moves', () => {
  expect(waitMs(5000)).toBe(5000);
  expect(waitMs(120_000)).toBe(120_000);
  expect(waitMs(5000, { movedBytes: slice })).toBe(10_000);
  expect(waitMs(5000, { movedBytes: 4 << 20 })).toBe(17 * 5000);
});

test('what a server only goes through takes less than what moves, and nothing is waited for longer than a timer can', () => {
  expect(waitMs(5000, { workedBytes: 64 * slice })).toBe(10_000);
  expect(waitMs(5000, { movedBytes: slice, workedBytes: 64 * slice })).toBe(15_000);
  expect(waitMs(120_000, { workedBytes: 1e15 })).toBe(2 ** 31 - 1);
});

test.each<[string, ReapiFailure, number]>([
  ['who was waited for in vain is not asked again', new TooSlow('a call', 5000), 1],
  ['who was not there is asked again', new ReapiFailure('unavailable', 'not there'), 4],
])('%s', async (_, failure, times) => {
  let tries = 0;
  const call = () => {
    tries++;
    return Promise.reject(failure);
  };
  await expect(trying({ ...usualPatience, pauseMs: 1 }, signal, call)).rejects.toBe(failure);
  expect(tries).toBe(times);
});
