// What executors are expected to be like by what was seen of them: cases that can be worked out by hand.

import { expect, test } from 'vitest';
import { SeenPace, usualPace } from '../../../engine/schedule/pace.ts';

test('where nothing was seen it is what was guessed', () => {
  expect(new SeenPace()).toMatchObject({
    bytesPerSecond: expect.closeTo(20_000_000, 0) as number,
    lackedShare: 1,
  });
  expect(new SeenPace({ overheadMs: 1000 }).overheadMs).toBe(1000);
  expect(usualPace.overheadMs).toBe(0);
});

test('a line is expected to carry what it was seen to carry, as soon as that was much', () => {
  const pace = new SeenPace();
  expect(pace.moved(4_000_000, 200)).toBe(200);
  expect(pace.bytesPerSecond).toBeCloseTo(20_000_000, 0);
  // A tenth of that: 12 MB in 1.2 s and 8 MB in 0.4 s so far.
  expect(pace.moved(12_000_000, 6000)).toBe(6000);
  expect(pace.bytesPerSecond).toBeCloseTo(20_000_000 / 6.4, 0);
});

test('little that is moved says nothing of a line, and no time of it counts as moving', () => {
  const pace = new SeenPace();
  for (let at = 0; at < 100; at++) expect(pace.moved(1000, 50)).toBe(0);
  expect(pace.bytesPerSecond).toBeCloseTo(20_000_000, 0);
});

test('a line that has become slow is found to be so, however quick it was for long', () => {
  const pace = new SeenPace();
  for (let at = 0; at < 100; at++) pace.moved(1_000_000_000, 1000);
  expect(pace.bytesPerSecond).toBeGreaterThan(900_000_000);
  pace.moved(1_000_000_000, 1_000_000);
  expect(pace.bytesPerSecond).toBeLessThan(3_000_000);
});

test('of what nobody has seen at a server as much is expected to be lacking as was of such', () => {
  const warm = new SeenPace();
  warm.lacked(396_000_000, 0);
  expect(warm.lackedShare).toBeCloseTo(0.01, 5);
  const fresh = new SeenPace();
  fresh.lacked(396_000_000, 396_000_000);
  expect(fresh.lackedShare).toBe(1);
});

test('what a command costs beside its work follows what the last commands cost', () => {
  const pace = new SeenPace({ overheadMs: 1000 });
  pace.took(100);
  expect(pace.overheadMs).toBe(550);
  for (let at = 0; at < 50; at++) pace.took(100);
  expect(pace.overheadMs).toBeCloseTo(100, 0);
  for (let at = 0; at < 50; at++) pace.took(9000);
  expect(pace.overheadMs).toBeGreaterThan(8900);
  pace.took(-5);
  expect(pace.overheadMs).toBeGreaterThan(0);
});
