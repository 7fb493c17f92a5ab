// What a served store keeps from collections although nothing leads to it: what is being sent, and what somebody was told to be here.

import { expect, test } from 'vitest';
import type { Digest } from '../../../store/base/digest.ts';
import type { Store } from '../../../store/index.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { InFlight } from '../../../store/serve/in-flight.ts';
import { Blobs, bytesOf } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';
import { freshStore } from '../fresh-store.ts';

const { signal } = new AbortController();
const mostBytes = 1_000_000;

/** Blobs of 100 kB that nothing leads to. */
async function blobsIn(store: Store, ...seeds: readonly number[]): Promise<Digest[]> {
  const batch = store.begin();
  const digests = seeds.map((seed) => batch.addBytes(bytesOf(seed, 100_000)));
  await batch.commit();
  return digests;
}

/** How many of these a collection leaves. */
async function left(store: Store, digests: readonly Digest[]): Promise<number> {
  await (await (await store.maintenance()).planGc()).execute();
  return digests.filter((digest) => store.blobs.has(digest)).length;
}

const numbers = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => from + at);

test('what was sent stays however much others ask for, and of that stays what there is room for', async () => {
  const store = await freshStore();
  const inFlight = new InFlight(store, mostBytes);
  const sent = await blobsIn(store, ...numbers(1, 4));
  await inFlight.keepSent(sent);
  const asked = await blobsIn(store, ...numbers(100, 30));
  for (const digest of asked) await inFlight.keepAsked([digest]);
  expect(await left(store, sent)).toBe(4);
  const leftOfAsked = asked.filter((digest) => store.blobs.has(digest));
  expect(leftOfAsked.length).toBeGreaterThan(1);
  expect(leftOfAsked.length).toBeLessThanOrEqual(6);
  // Asked for last, it is wanted soonest.
  expect(leftOfAsked).toContain(asked.at(-1));
});

test('what is sent takes the room of what was only asked for, and none of what was sent before as long as there is any', async () => {
  const store = await freshStore();
  const inFlight = new InFlight(store, mostBytes);
  const first = await blobsIn(store, 1, 2);
  await inFlight.keepSent(first);
  const asked = await blobsIn(store, ...numbers(100, 7));
  await inFlight.keepAsked(asked);
  const second = await blobsIn(store, ...numbers(10, 7));
  await inFlight.keepSent(second);
  expect(await left(store, [...first, ...second])).toBe(9);
  expect(asked.filter((digest) => store.blobs.has(digest)).length).toBeLessThan(7);
});

test('what was sent and is asked for as well stays when there is no room for questions, and goes when it is released', async () => {
  const store = await freshStore();
  const inFlight = new InFlight(store, mostBytes);
  const sent = await blobsIn(store, 1);
  await inFlight.keepSent(sent);
  await inFlight.keepAsked(sent);
  await inFlight.keepAsked(await blobsIn(store, ...numbers(100, 12)));
  expect(await left(store, sent)).toBe(1);
  inFlight.release(sent);
  expect(await left(store, sent)).toBe(0);
});

test('whoever only reads a store that is kept to a size cannot undo a push by asking for what it has', async () => {
  const serving = await serveStore({ storeOptions: { maxBytes: 2 * mostBytes } });
  const { url } = await reapiOf(serving);
  const [writer, reader] = [
    new ReapiClient(url, { credentials: { token: writeToken } }),
    new ReapiClient(url),
  ];
  try {
    const sent = new Blobs(...numbers(1, 3).map((seed) => bytesOf(seed, 100_000)));
    await writer.write(sent.digests, sent, signal);
    // The store may be kept to its size at any moment, and what nobody has asked for yet be gone: each is asked for at once.
    for (const seed of numbers(100, 15)) await reader.missing(await blobsIn(serving.store, seed), signal);
    expect(await left(serving.store, sent.digests)).toBe(3);
    expect(serving.errors).toEqual([]);
  } finally {
    for (const client of [writer, reader]) client.close();
  }
});
