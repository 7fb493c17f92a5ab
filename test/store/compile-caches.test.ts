// Folders in which compilers' results are kept: who may have one, how much room they may take, and who takes them away.

import { chmodSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import type { CompileCache, Store } from '../../store/index.ts';
import { freshStore } from './fresh-store.ts';

const enough = 1e9;

async function taken(store: Store, lineage = 'lineage', maxBytes = enough): Promise<CompileCache> {
  const cache = await store.compileCaches.take({ lineage, maxBytes });
  if (cache === undefined) throw new Error('somebody has it');
  return cache;
}

/** Leaves a file of so many bytes in it. */
async function used(store: Store, lineage?: string, sizeBytes = 1, maxBytes?: number): Promise<void> {
  const cache = await taken(store, lineage, maxBytes);
  writeFileSync(join(cache.path, 'file'), Buffer.alloc(sizeBytes, 1));
  await cache.release();
}

async function filesIn(store: Store, lineage?: string): Promise<string[]> {
  const cache = await taken(store, lineage);
  const names = readdirSync(cache.path);
  await cache.release();
  return names;
}

const entries = (store: Store): string[] => readdirSync(join(store.path, 'compile-caches'));

/** As if all of them had been used so many days ago. */
function leave(store: Store, days: number): void {
  const then = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
  for (const name of entries(store))
    utimesSync(join(store.path, 'compile-caches', name, 'record'), then, then);
}

test('one is its lineage’s alone, stays for the next build, and is nobody else’s meanwhile', async () => {
  const store = await freshStore();
  await used(store);
  expect(await filesIn(store)).toEqual(['file']);
  expect(await filesIn(store, 'another')).toEqual([]);
  const cache = await taken(store);
  expect(await store.compileCaches.take({ lineage: 'lineage', maxBytes: enough })).toBeUndefined();
  await cache.release();
  chmodSync(cache.path, 0);
  const again = await taken(store);
  expect(statSync(again.path).mode & 0o777).toBe(0o755);
  await again.release();
});

test('one without a record that can be read is thrown away, and so is one that is to be forgotten', async () => {
  const store = await freshStore();
  await used(store);
  writeFileSync(join(store.path, 'compile-caches', entries(store)[0]!, 'record'), 'what?');
  expect(await filesIn(store)).toEqual([]);
  await used(store);
  await store.compileCaches.forget('lineage');
  expect(entries(store)).toEqual([]);
  await store.compileCaches.forget('lineage');
});

test('together they take no more room than they may: those used longest ago go, and one that is too large', async () => {
  const store = await freshStore();
  await used(store, 'first', 60_000);
  leave(store, 2);
  await used(store, 'second', 60_000);
  expect(entries(store)).toHaveLength(2);
  await used(store, 'third', 60_000, 150_000);
  expect([await filesIn(store, 'second'), await filesIn(store, 'third')]).toEqual([['file'], ['file']]);
  expect(entries(store)).toHaveLength(2);
  await used(store, 'third', 600_000, 150_000);
  expect(await filesIn(store, 'third')).toEqual([]);
});

test.each([
  [10, true, 0],
  [20, true, 1],
  [2, false, 1],
  [0, false, 0],
])(
  'unused for %i days, of a lineage that roots reach: %s, a collection takes %i',
  async (days, rooted, gone) => {
    const store = await freshStore();
    const derivation = digestOf(Buffer.from('derivation'));
    await used(store);
    await store.records.update((records) => {
      records.putLineage('lineage', { derivation, action: derivation });
      if (rooted) records.putRoot({ name: 'root', derivations: [derivation] });
    });
    leave(store, days);
    const plan = await (await store.maintenance()).planGc({});
    expect([plan.stats.keptFolders, (await plan.execute()).keptFolders]).toEqual([gone, gone]);
    expect(entries(store)).toHaveLength(1 - gone);
  },
);

test('a collection leaves alone what somebody has', async () => {
  const store = await freshStore();
  const cache = await taken(store);
  leave(store, 100);
  const plan = await (await store.maintenance()).planGc({});
  expect((await plan.execute()).keptFolders).toBe(0);
  await cache.release();
  expect(entries(store)).toHaveLength(1);
});
