// A large file of a served store, of which something alike is here already: over gRPC only those chunks come that differ, and it is
// what it should be, whatever goes wrong on the way.

import { expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { openCache } from '../../../store/caches/index.ts';
import type { Likenesses } from '../../../store/index.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { countingProxy } from '../../support/counting-proxy.ts';
import { Blobs, bytesOf } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';

const { signal } = new AbortController();
const former = bytesOf(1, 20_000_000);
/** A changed piece, and everything behind it in another place. */
const changed = Buffer.concat([
  former.subarray(0, 9_000_000),
  bytesOf(2, 70_000),
  former.subarray(9_100_000),
]);
const unlike = bytesOf(3, 20_000_000);

/** What is here, told to be like whatever is wanted; counted, how often it was read in part. */
function here(bytes: Uint8Array, range = (from: number, to: number) => bytes.subarray(from, to)) {
  const digest = digestOf(bytes);
  let parts = 0;
  const likenesses: Likenesses = {
    likeTo: () => [digest],
    // eslint-disable-next-line @typescript-eslint/require-await -- a stream of what is at hand
    range: async function* (_, from, to) {
      if (to - from < bytes.byteLength) parts++;
      yield range(from, to);
    },
  };
  return { likenesses, parts: () => parts };
}

/** A store that serves these, and a cache of it whose bytes are counted. */
async function served(...blobs: readonly Uint8Array[]) {
  const serving = await serveStore();
  const { url } = await reapiOf(serving);
  const writer = new ReapiClient(url, { credentials: { token: writeToken } });
  onTestFinished(() => writer.close());
  await writer.write(blobs.map(digestOf), new Blobs(...blobs), signal);
  const proxy = await countingProxy(url);
  const env = { HOME: '/nonexistent' };
  const cache = openCache(proxy.url, { env, patience: { firstMs: 30_000, idleMs: 30_000 } });
  const given = async (bytes: Uint8Array, likenesses?: Likenesses): Promise<Digest[]> => {
    const digest = digestOf(bytes);
    expect(await cache.has(new Set([digest]), new Set(), signal)).toEqual(new Set([digest]));
    const all: Digest[] = [];
    const take = async (_: Digest, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      all.push(digestOf(Buffer.concat(parts)));
    };
    await cache.read(new Set([digest]), take, signal, likenesses);
    return all;
  };
  return { serving, came: proxy.came, given };
}

test('of a file that was changed in one place only the chunks around it come', async () => {
  const { serving, came, given } = await served(changed);
  const { likenesses, parts } = here(former);
  expect(await given(changed, likenesses)).toEqual([digestOf(changed)]);
  expect(came()).toBeLessThan(4_000_000);
  expect(parts()).toBeGreaterThan(10);
  expect(await given(changed)).toEqual([digestOf(changed)]);
  expect(came()).toBeGreaterThan(changed.byteLength);
  expect(serving.errors).toEqual([]);
});

test('of a file that has nothing in common with what is here all comes, once', async () => {
  const { serving, came, given } = await served(unlike);
  expect(await given(unlike, here(former).likenesses)).toEqual([digestOf(unlike)]);
  expect(came()).toBeLessThan(unlike.byteLength * 1.1);
  expect(serving.errors).toEqual([]);
});

test.each([
  ['is cut short', (from: number, to: number) => former.subarray(from, (from + to) >> 1)],
  [
    'can no longer be read',
    (): Buffer => {
      throw new Error('it is gone');
    },
  ],
])('what is here and %s while it is taken comes from the server', async (_, broken) => {
  const { serving, came, given } = await served(changed);
  let reads = 0;
  // First all of it is looked at, then parts of it.
  const { likenesses } = here(former, (from, to) =>
    ++reads > 5 ? broken(from, to) : former.subarray(from, to),
  );
  expect(await given(changed, likenesses)).toEqual([digestOf(changed)]);
  expect(came()).toBeLessThan(changed.byteLength * 1.2);
  expect(reads).toBeGreaterThan(5);
  expect(serving.errors).toEqual([]);
});
