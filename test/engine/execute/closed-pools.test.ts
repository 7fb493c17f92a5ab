import { expect, test } from 'vitest';
import { ClosedPools, closedMs } from '../../../engine/execute/closed-pools.ts';
import { TurnedAway } from '../../../engine/execute/turned-away.ts';

const down = (message: string): TurnedAway => new TurnedAway('EXECUTOR_FAILED', message, { isDown: true });

test('an executor is closed for a while, from when it was first found to be down', () => {
  let nowMs = 0;
  const closed = new ClosedPools({ nowMs: () => nowMs });
  expect(closed.why('run:a')).toBeUndefined();
  expect(closed.close('run:a', down('first'))).toBe(true);
  nowMs = closedMs - 1;
  expect(closed.close('run:a', down('second'))).toBe(false);
  expect(closed.why('run:a')?.message).toBe('first');
  expect(closed.why('run:b')).toBeUndefined();
  nowMs = closedMs;
  expect(closed.why('run:a')).toBeUndefined();
  expect(closed.close('run:a', down('third'))).toBe(true);
  expect(closed.why('run:a')?.message).toBe('third');
});
