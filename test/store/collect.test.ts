// Garbage collection beside what others do at the same time, and with limits to what goes.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeCbor } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import {
  MissingBlob,
  openStore,
  type GcLimits,
  type GcStats,
  type Node,
  type Store,
} from '../../store/index.ts';
import { layoutOf } from '../../store/layout.ts';
import { Database } from '../../store/records/database.ts';
import { volatileDatabase } from '../../store/processes/owner.ts';
import { collectionLock } from '../../store/processes/uses.ts';
import { LiveSet } from '../../store/upkeep/live-set.ts';
import { builtScript } from '../support/built-script.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { freshStore } from './fresh-store.ts';
import { madeRealisation } from '../support/realisations.ts';

const program = 'test/support/programs/use-store.ts';
const run = promisify(execFile);

function bytesOf(name: string): Buffer {
  return Buffer.alloc(100_000, name);
}

function has(store: Store, ...names: string[]): boolean[] {
  return names.map((name) => store.blobs.has(digestOf(bytesOf(name))));
}

function treeOf(file: Digest): ReadonlyMap<string, Node> {
  return new Map([['file', { kind: 'blob', digest: file, executable: false }]]);
}

/** Records a derivation with 100 kB of output; gives its id. */
async function build(store: Store, name: string, needs: readonly Digest[] = []): Promise<Digest> {
  const description = { name, layers: needs.map((id) => [id, 'out', '']) };
  const id = digestOf(encodeCbor(description));
  const action = digestOf(Buffer.from(`action ${name}`));
  const batch = store.begin();
  const out: Node = { kind: 'tree', digest: batch.addDirectory(treeOf(batch.addBytes(bytesOf(name)))) };
  await batch.commit((records) => {
    records.putDescription(id, description);
    records.putMemo({ derivation: id, action, outputs: { out } });
    records.putRealisation(madeRealisation(action, { out }, { name, builtAtMs: Date.now() }));
  });
  return id;
}

async function collect(store: Store, limits?: GcLimits): Promise<GcStats> {
  return (await (await store.maintenance()).planGc(limits)).execute();
}

async function damages(store: Store): Promise<readonly unknown[]> {
  return (await (await store.maintenance()).verify()).damages;
}

describe('while others build', () => {
  it('finds what hangs on a directory that comes after it was looked for', async () => {
    const store = await freshStore();
    const batch = store.begin();
    const file = batch.addBytes(bytesOf('late'));
    const tree = batch.addDirectory(treeOf(file));
    const database = Database.open(layoutOf(store.path).database, { durable: true });
    onTestFinished(() => database.close());
    const live = new LiveSet(database);
    live.add([tree]);
    await batch.commit();
    database.refresh();
    live.refresh();
    expect(live.content.blobs.has(file)).toBe(true);
  });

  it('spares what is used after it was chosen what is used least', async () => {
    const store = await freshStore();
    const [late, idle] = [await build(store, 'late'), await build(store, 'idle')];
    const { action, outputs } = store.records.memo(late)!;
    store.useOnly([]);
    // Whoever decides what goes waits for this, and has chosen by then.
    const decision = await store.locks.acquire('gc-decision');
    const collected = collect(store, { maxBytes: 1 });
    await expect
      .poll(async () => {
        const lock = await store.locks.tryAcquire('gc');
        if (!('release' in lock)) return 'under way';
        await lock.release();
        return 'free';
      })
      .toBe('under way');
    await store.records.update((records) => records.putMemo({ derivation: late, action, outputs }));
    await decision.release();
    await collected;
    expect([late, idle].map((id) => store.records.memo(id) !== undefined)).toEqual([true, false]);
    const [out] = Object.values(outputs);
    expect(await damages(store)).toEqual([]);
    expect(store.trees.get((out as Exclude<Node, { kind: 'symlink' }>).digest)).toBeDefined();
  });

  it('takes nothing that verification, which has listed it, then finds missing', async () => {
    const store = await freshStore();
    for (let at = 0; at < 20; at++) await build(store, `garbage ${at}`);
    const [found, collected] = await Promise.all([damages(store), collect(store)]);
    expect(found).toEqual([]);
    expect(collected.blobs).toBe(20);
  });

  it('keeps what was imported for as long as the importing store is open', async () => {
    const store = await freshStore();
    const folder = tempFolder('source');
    writeFileSync(join(folder, 'file'), bytesOf('source'));
    const { node } = await store.importFolder(folder);
    const other = await freshStore(store.path);
    await collect(other);
    expect(readFileSync(join(await store.materialise(node.digest), 'file'))).toEqual(bytesOf('source'));
  });

  it('lets no import rely on what the last one left, once that is collected', async () => {
    const store = await freshStore();
    const folder = tempFolder('source');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'file'), bytesOf('source'));
    writeFileSync(join(folder, 'changing'), 'a');
    const first = await openStore(store.path);
    await first.importFolder(folder);
    await first.close();
    const snapshots = join(store.path, 'imports');
    const kept = readdirSync(snapshots).map((name) => [name, readFileSync(join(snapshots, name))] as const);
    await collect(store);
    expect(readdirSync(snapshots)).toEqual([]);
    // As it is found when it is written while the collection is under way.
    for (const [name, bytes] of kept) writeFileSync(join(snapshots, name), bytes);
    writeFileSync(join(folder, 'changing'), 'b');
    const { node } = await store.importFolder(folder);
    const made = await store.materialise(node.digest);
    expect(readFileSync(join(made, 'sub', 'file'))).toEqual(bytesOf('source'));
  });

  it('and imports of other processes never both win', async () => {
    const script = await builtScript(program);
    const path = join(tempFolder('store'), 'store');
    const source = tempFolder('source');
    for (let at = 0; at < 50; at++) writeFileSync(join(source, `f${at}`), bytesOf(`${at}`));
    await Promise.all([
      run(process.execPath, [script, 'import', path, source]),
      run(process.execPath, [script, 'collect', path]),
    ]);
    expect(await damages(await freshStore(path))).toEqual([]);
  });

  it('asks no clock: a committing process may be an hour ahead, or behind', async () => {
    const script = await builtScript(program);
    const path = join(tempFolder('store'), 'store');
    const shifted = (byMs: number): string =>
      `data:text/javascript,const now = Date.now; Date.now = () => now() + ${byMs};`;
    await Promise.all([
      run(process.execPath, ['--import', shifted(3_600_000), script, 'build', path, 'ahead']),
      run(process.execPath, ['--import', shifted(-3_600_000), script, 'build', path, 'behind']),
      run(process.execPath, [script, 'collect', path]),
    ]);
    expect(await damages(await freshStore(path))).toEqual([]);
  });

  it('a commit that relies on a directory that is gone does not take place', async () => {
    const store = await freshStore();
    const garbage = await build(store, 'garbage');
    const { out } = store.records.memo(garbage)!.outputs;
    const batch = store.begin();
    batch.addDirectory(new Map([['below', out!]]));
    await collect(store);
    await expect(batch.commit()).rejects.toThrow(MissingBlob);
  });

  it('a commit that relies on a file that is gone does not take place', async () => {
    const store = await freshStore();
    await build(store, 'garbage');
    const batch = store.begin();
    batch.addDirectory(treeOf(digestOf(bytesOf('garbage'))));
    await collect(store);
    await expect(batch.commit()).rejects.toThrow(MissingBlob);
  });

  it('what was read before another process took it away is not believed once it is to be used', async () => {
    const store = await freshStore();
    const garbage = await build(store, 'garbage');
    const out = store.records.memo(garbage)!.outputs['out'] as { digest: Digest };
    expect(store.trees.get(out.digest)).toBeDefined();
    await collect(await freshStore(store.path));
    await store.use([out.digest]);
    expect(store.trees.get(out.digest)).toBeUndefined();
  });

  it('is told by the store, each time', async () => {
    const store = await freshStore();
    const seen = [store.records.deletions()];
    for (const name of ['once', 'twice']) {
      await build(store, name);
      seen.push(store.records.deletions());
      await collect(store);
      seen.push(store.records.deletions());
    }
    expect(seen.map((deletions) => seen.indexOf(deletions))).toEqual([0, 0, 2, 2, 4]);
  });
});

describe('while files are being taken away', () => {
  it('nobody who is about to use something has to wait', async () => {
    const store = await freshStore();
    const file = store.begin();
    const digest = file.addBytes(bytesOf('wanted'));
    await file.commit();
    const lock = await (await freshStore(store.path)).locks.acquire(collectionLock);
    await store.use([digest]);
    expect(store.blobs.has(digest)).toBe(true);
    await lock.release();
  });

  it('what is there when it was told to be used stays', async () => {
    const store = await freshStore();
    const batch = store.begin();
    const garbage = Array.from({ length: 6000 }, (_, at) => batch.addBytes(Buffer.from(`garbage ${at}`)));
    await batch.commit();
    const volatile = Database.open(volatileDatabase(layoutOf(store.path)), { durable: false });
    onTestFinished(() => volatile.close());
    const collecting = collect(await freshStore(store.path));
    const isUnderWay = (): boolean => {
      volatile.refresh();
      return volatile.table('locks').doesExist(collectionLock);
    };
    while (!isUnderWay()) await setImmediate();
    const found: Digest[] = [];
    for (const digest of garbage.reverse()) {
      await store.use([digest]);
      if (store.blobs.has(digest)) found.push(digest);
      if (!isUnderWay()) break;
      await setImmediate();
    }
    await collecting;
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((digest) => !store.blobs.has(digest))).toEqual([]);
  });
});

it('forgets lineages, how long they took and what others signed, when nothing is left of them, and not before', async () => {
  const store = await freshStore();
  const [kept, lost] = [await build(store, 'kept'), await build(store, 'lost')];
  const signed = [new Uint8Array([1, 2, 3])];
  await store.records.update((records) => {
    records.putRoot({ name: 'root', derivations: [kept] });
    for (const [name, derivation] of Object.entries({ kept, lost })) {
      records.putLineage(name, { derivation, action: digestOf(Buffer.from(`action ${name}`)) });
      records.putDuration(name, 7);
      records.putMemo(store.records.memo(derivation)!, signed);
    }
    // What an edit has changed comes to what is there already.
    records.putLineage('another', { derivation: lost, action: digestOf(Buffer.from('action kept')) });
  });
  await collect(store);
  const { records } = store;
  expect(['kept', 'another', 'lost'].map((name) => records.lineage(name) !== undefined)).toEqual([
    true,
    true,
    false,
  ]);
  expect([records.duration('kept'), records.duration('lost')]).toEqual([7, undefined]);
  expect([records.signed(kept), records.signed(lost)]).toEqual([signed, []]);
});

describe('with limits', () => {
  /** Four results, each used before the next; the first needs `input`. */
  async function history(store: Store): Promise<void> {
    const input = await build(store, 'input');
    for (const [at, name] of ['first', 'second', 'third', 'fourth'].entries())
      await build(store, name, at === 0 ? [input] : []);
  }

  it('deletes what was used longest ago until the store is small enough, and not more', async () => {
    const store = await freshStore();
    await history(store);
    const { keptBytes } = await collect(store, { maxBytes: 1e12 });
    const stats = await collect(store, { maxBytes: keptBytes! - 150_000 });
    expect(has(store, 'first', 'input', 'second', 'third', 'fourth')).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    expect(stats.keptBytes).toBeLessThanOrEqual(keptBytes! - 150_000);
    expect(await damages(store)).toEqual([]);
  });

  it('counts what is wanted again as used, with what it is made from', async () => {
    const store = await freshStore();
    await history(store);
    const { keptBytes } = await collect(store, { maxBytes: 1e12 });
    const first = digestOf(
      encodeCbor({
        name: 'first',
        layers: [[digestOf(encodeCbor({ name: 'input', layers: [] })), 'out', '']],
      }),
    );
    await store.records.update((records) => records.markUsed(first));
    await collect(store, { maxBytes: keptBytes! - 50_000 });
    expect(has(store, 'first', 'input', 'second', 'third', 'fourth')).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  it('never deletes what a root keeps, and says that more stays than was asked for', async () => {
    const store = await freshStore();
    const kept = await build(store, 'kept');
    await build(store, 'garbage');
    await store.records.update((records) => records.putRoot({ name: 'kept', derivations: [kept] }));
    const { keptBytes } = await collect(store, { maxBytes: 1 });
    expect(has(store, 'kept', 'garbage')).toEqual([true, false]);
    expect(keptBytes).toBeGreaterThan(1);
  });

  it('keeps what was used since a time, however small the store should be', async () => {
    const store = await freshStore();
    await history(store);
    const sinceMs = Date.now() + 1000;
    expect((await collect(store, { usedSinceMs: 0 })).blobs).toBe(0);
    expect((await collect(store, { usedSinceMs: 0, maxBytes: 1 })).blobs).toBe(0);
    expect((await collect(store, { usedSinceMs: sinceMs })).blobs).toBe(5);
  });

  it('takes folders away that steps were run on and nobody uses, before it gives up', async () => {
    const store = await freshStore();
    const kept = await build(store, 'kept');
    await store.records.update((records) => records.putRoot({ name: 'kept', derivations: [kept] }));
    const out = store.records.memo(kept)!.outputs['out'] as { digest: Digest };
    const other = await openStore(store.path);
    const folder = await other.materialise(out.digest);
    await collect(store, { maxBytes: 1 });
    expect(readdirSync(folder)).toEqual(['file']);
    await other.close();
    await collect(store, { maxBytes: 1 });
    expect(readdirSync(join(store.path, 'trees'))).toEqual([]);
    expect(has(store, 'kept')).toEqual([true]);
  });

  it('by itself does nothing until the store has grown too large, and then makes some room', async () => {
    const store = await freshStore();
    await history(store);
    const { keptBytes } = await collect(store, { maxBytes: 1e12 });
    const maintenance = await store.maintenance();
    expect(await maintenance.keepToSize(keptBytes! + 400_000)).toBeUndefined();
    await build(store, 'large');
    for (const name of ['fifth', 'sixth', 'seventh']) await build(store, name);
    const stats = await maintenance.keepToSize(keptBytes! + 200_000);
    expect(stats?.blobs).toBeGreaterThanOrEqual(2);
    expect(stats?.keptBytes).toBeLessThanOrEqual(0.9 * (keptBytes! + 200_000));
    expect(has(store, 'input', 'seventh')).toEqual([false, true]);
    expect(await maintenance.keepToSize(keptBytes! + 200_000)).toBeUndefined();
  });
});
