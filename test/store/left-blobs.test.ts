// Blobs that were left elsewhere, as upkeep sees them: neither damage nor room taken, and gone with what names them.

import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { type Damage, type LeftAt, type Node, type Store } from '../../store/index.ts';
import { layoutOf } from '../../store/layout.ts';
import { Database } from '../../store/records/database.ts';
import { madeRealisation } from '../support/realisations.ts';
import { freshStore } from './fresh-store.ts';

const place = 'grpc://workers';
const sizeBytes = 100_000;

function bytesOf(name: string): Buffer {
  return Buffer.alloc(sizeBytes, name);
}

function blobOf(name: string): Digest {
  return digestOf(bytesOf(name));
}

/** Records a derivation whose output is a folder with these files, those in `left` at {@link place}; gives its id. */
async function built(
  store: Store,
  name: string,
  files: readonly string[],
  left: readonly string[],
): Promise<Digest> {
  const [id, action] = [digestOf(Buffer.from(name)), digestOf(Buffer.from(`action ${name}`))];
  const batch = store.begin();
  const entries = files.map((file): [string, Node] => [
    file,
    {
      kind: 'blob',
      digest: left.includes(file) ? blobOf(file) : batch.addBytes(bytesOf(file)),
      executable: false,
    },
  ]);
  for (const file of left) batch.leave(blobOf(file), place);
  const out: Node = { kind: 'tree', digest: batch.addDirectory(new Map(entries)) };
  await batch.commit((records) => {
    records.putDescription(id, { name });
    records.putMemo({ derivation: id, action, outputs: { out } });
    records.putRealisation(madeRealisation(action, { out }, { name, builtAtMs: Date.now() }));
  });
  return id;
}

async function verified(store: Store): Promise<{ damages: readonly Damage[]; left: readonly LeftAt[] }> {
  const { damages, left } = await (await store.maintenance()).verify();
  return { damages, left };
}

it('is no damage, and named with its place; what was here and is gone is damage', async () => {
  const store = await freshStore();
  const id = await built(store, 'step', ['a', 'b', 'c'], ['a', 'b']);
  expect(await verified(store)).toEqual({
    damages: [],
    left: [{ place, files: 2, sizeBytes: 2 * sizeBytes }],
  });
  rmSync(await store.blobs.path(blobOf('c'), false));
  const { damages } = await verified(store);
  expect(damages).toEqual([{ kind: 'missing', digest: blobOf('c'), wantedBy: 'step' }]);
  const { derivations } = await (await store.maintenance()).setAside(damages);
  expect(derivations).toEqual([id]);
  // Nothing promises them any more.
  expect((await verified(store)).left).toEqual([]);
});

it('takes no room, by usage and by collections that keep to a size', async () => {
  const store = await freshStore();
  const maintenance = await store.maintenance();
  const kept = async (): Promise<number> => (await maintenance.planGc({ maxBytes: 1e12 })).stats.keptBytes!;
  await built(store, 'here', ['x'], []);
  const before = await kept();
  await built(store, 'away', ['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd']);
  expect((await kept()) - before).toBeLessThan(2 * sizeBytes);
  const { left, parts } = await maintenance.usage();
  expect(left).toEqual([{ place, files: 4, sizeBytes: 4 * sizeBytes }]);
  expect(parts.find(({ name }) => name === 'blobs')?.files).toBe(1);
});

it('is known as long as something that is kept names it, and forgotten with that', async () => {
  const store = await freshStore();
  const kept = await built(store, 'kept', ['a', 'both'], ['a', 'both']);
  await built(store, 'dropped', ['b', 'both'], ['b', 'both']);
  await store.records.update((records) => records.putRoot({ name: 'root', derivations: [kept] }));
  const collect = async (): Promise<boolean[]> => {
    await (await (await store.maintenance()).planGc()).execute();
    return ['a', 'b', 'both'].map((name) => store.left.has(blobOf(name)));
  };
  expect(await collect()).toEqual([true, false, true]);
  await store.records.update((records) => records.removeRoot('root'));
  expect(await collect()).toEqual([false, false, false]);
  expect(await verified(store)).toEqual({ damages: [], left: [] });
});

it('may be collected while a batch that relies on it is filled: then that does not come in', async () => {
  const store = await freshStore();
  await built(store, 'away', ['a'], ['a']);
  const batch = store.begin();
  batch.addDirectory(new Map([['other name', { kind: 'blob', digest: blobOf('a'), executable: false }]]));
  await (await (await store.maintenance()).planGc()).execute();
  await expect(batch.commit()).rejects.toMatchObject({ name: 'MissingBlob', digest: blobOf('a') });
});

it('is lost when nothing says any more that it stayed elsewhere', async () => {
  const store = await freshStore();
  await built(store, 'away', ['a'], ['a']);
  const database = Database.open(layoutOf(store.path).database, { durable: true });
  await database.transaction(() => void database.table('left').remove(blobOf('a')));
  await database.close();
  await expect
    .poll(async () => (await verified(store)).damages)
    .toEqual([{ kind: 'missing', digest: blobOf('a'), wantedBy: 'away' }]);
});
