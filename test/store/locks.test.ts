import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freshStore } from './fresh-store.ts';

test('a second taker waits until the first lets go, and is told who holds it', async () => {
  const store = await freshStore();
  const first = await store.locks.acquire('a');
  const holders: string[] = [];
  const order: string[] = [];
  const second = store.locks.acquire('a', { onWait: (holder) => holders.push(holder) }).then((lock) => {
    order.push('second');
    return lock;
  });
  await setTimeout(250);
  order.push('release');
  await first.release();
  await (await second).release();
  expect(order).toEqual(['release', 'second']);
  expect(holders).toEqual([expect.stringMatching(new RegExp(`^process ${process.pid} on .`))]);
});

test('different keys do not wait for each other', async () => {
  const store = await freshStore();
  const locks = await Promise.all(['a', 'b', '/long'.repeat(100)].map((key) => store.locks.acquire(key)));
  await Promise.all(locks.map((lock) => lock.release()));
});

test('two open stores of one process exclude each other', async () => {
  const one = await freshStore();
  const two = await freshStore(one.path);
  const lock = await one.locks.acquire('a');
  await expect(two.locks.acquire('a', { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  await lock.release();
  await (await two.locks.acquire('a')).release();
});

test('a lock let go twice does not free its next holder', async () => {
  const store = await freshStore();
  const first = await store.locks.acquire('a');
  await first.release();
  const second = await store.locks.acquire('a');
  await first.release();
  await expect(store.locks.acquire('a', { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  await second.release();
});

test('what the last holder wrote is read by the next', async () => {
  const one = await freshStore();
  const two = await freshStore(one.path);
  expect(two.records.duration('x')).toBeUndefined();
  const lock = await one.locks.acquire('a');
  const next = two.locks.acquire('a').then(async (taken) => {
    const seen = two.records.duration('x');
    await taken.release();
    return seen;
  });
  await one.records.update((records) => records.putDuration('x', 7));
  await lock.release();
  expect(await next).toBe(7);
});
