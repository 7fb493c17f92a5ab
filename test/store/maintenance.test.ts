import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { emptyTree, openStore, type Node, type Store } from '../../store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { madeRealisation } from '../support/realisations.ts';

async function emptyStore(): Promise<Store> {
  const store = await openStore(join(tempFolder('store'), 'store'));
  onTestFinished(() => store.close());
  return store;
}

// Records a derivation `name` that needs `inputs` and gave a tree with one file; gives its id and output.
async function built(
  store: Store,
  name: string,
  inputs: readonly Digest[] = [],
  log?: string,
): Promise<{ id: Digest; out: Node }> {
  const description: CborValue = { name, layers: inputs.map((id) => [id, 'out', '']) };
  const id = digestOf(encodeCbor(description));
  const batch = store.begin();
  const file = batch.addBytes(Buffer.from(`content of ${name}`));
  const out: Node = {
    kind: 'tree',
    digest: batch.addDirectory(new Map([['file', { kind: 'blob', digest: file, executable: false }]])),
  };
  const action = digestOf(Buffer.from(name));
  const logBlob = log === undefined ? undefined : batch.addBytes(Buffer.from(log));
  await batch.commit((records) => {
    records.putDescription(id, description);
    records.putMemo({ derivation: id, action, outputs: { out } });
    const facts = { name, durationMs: 1000, builtAtMs: Date.now(), log: logBlob };
    records.putRealisation(madeRealisation(action, { out }, facts));
  });
  return { id, out };
}

function blobFile(store: Store, text: string): string {
  const hash = digestOf(Buffer.from(text)).slice(0, 64);
  return join(store.path, 'blobs', hash.slice(0, 2), hash);
}

describe('garbage collection', () => {
  it('keeps what roots reach, build inputs included, and deletes the rest', async () => {
    const store = await emptyStore();
    const input = await built(store, 'input');
    const wanted = await built(store, 'wanted', [input.id]);
    const garbage = await built(store, 'garbage');
    await store.records.update((records) => records.putRoot({ name: 'kept', derivations: [wanted.id] }));
    const maintenance = await store.maintenance();
    const plan = await maintenance.planGc();
    expect(plan.stats).toMatchObject({ blobs: 1, realisations: 1, rebuildMs: 1000 });
    expect(plan.lost).toEqual([{ name: 'garbage', durationMs: 1000 }]);
    expect(store.records.memo(garbage.id)).toBeDefined();
    expect(await plan.execute()).toEqual(plan.stats);
    expect(store.records.memo(garbage.id)).toBeUndefined();
    expect(store.blobs.has(digestOf(Buffer.from('content of garbage')))).toBe(false);
    for (const { id, out } of [input, wanted]) {
      expect(store.records.memo(id)).toBeDefined();
      expect(readdirSync(await store.materialise((out as { digest: Digest }).digest))).toEqual(['file']);
    }
    expect((await maintenance.verify()).damages).toEqual([]);
  });

  it('keeps the logs of what it keeps, and deletes those of the rest', async () => {
    const store = await emptyStore();
    const wanted = await built(store, 'wanted', [], 'how it was built');
    await built(store, 'garbage', [], 'how that was built');
    await store.records.update((records) => records.putRoot({ name: 'kept', derivations: [wanted.id] }));
    await collect(store);
    const { action } = store.records.memo(wanted.id)!;
    const { log } = store.records.realisation(action)!.facts;
    expect(Buffer.from(await store.blobs.read(log!)).toString()).toBe('how it was built');
    expect(store.blobs.has(digestOf(Buffer.from('how that was built')))).toBe(false);
  });

  it('takes materialised folders of what it deletes with it', async () => {
    const store = await emptyStore();
    const { out } = await built(store, 'garbage');
    const { digest } = out as { digest: Digest };
    const other = await openStore(store.path);
    await other.materialise(digest);
    await other.handOut({ kind: 'tree', digest });
    await other.close();
    await collect(store);
    expect(['trees', 'results'].flatMap((place) => readdirSync(join(store.path, place)))).toEqual([]);
  });

  it('leaves alone what a session uses, with all it is made from, until that ends', async () => {
    const store = await emptyStore();
    const input = await built(store, 'input');
    const used = await built(store, 'used', [input.id]);
    const other = await openStore(store.path);
    await other.use([used.id]);
    await collect(store);
    expect([input, used].map(({ id }) => store.records.memo(id) !== undefined)).toEqual([true, true]);
    expect(store.blobs.has(digestOf(Buffer.from('content of input')))).toBe(true);
    await other.close();
    await collect(store);
    expect([input, used].map(({ id }) => store.records.memo(id) !== undefined)).toEqual([false, false]);
    expect(readdirSync(join(store.path, 'tmp'))).toHaveLength(1);
  });

  it('leaves alone a folder that steps are run on, or that somebody was given, while its session lives', async () => {
    const store = await emptyStore();
    const { out } = await built(store, 'looked-at');
    const { digest } = out as { digest: Digest };
    const other = await openStore(store.path);
    const folders = [await other.materialise(digest), await other.handOut({ kind: 'tree', digest })];
    await collect(store);
    expect(folders.map((folder) => readdirSync(folder))).toEqual([['file'], ['file']]);
    await other.close();
  });

  it('brings back from the batch what was in the store when the batch was filled, and was collected since', async () => {
    const store = await emptyStore();
    await built(store, 'garbage');
    const bytes = Buffer.from('content of garbage');
    const other = await openStore(store.path);
    onTestFinished(() => other.close());
    const batch = other.begin();
    const file = join(await other.scratch('made'), 'file');
    writeFileSync(file, bytes);
    await batch.takeFile(file, false);
    await collect(store);
    expect(store.blobs.has(digestOf(bytes))).toBe(false);
    await batch.commit();
    expect(Buffer.from(await store.blobs.read(digestOf(bytes)))).toEqual(bytes);
  });

  it('that is stopped has deleted nothing that anybody names', async () => {
    const store = await emptyStore();
    const { id } = await built(store, 'wanted');
    await built(store, 'garbage');
    await store.records.update((records) => records.putRoot({ name: 'kept', derivations: [id] }));
    const plan = await (await store.maintenance()).planGc();
    await expect(plan.execute(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect((await (await store.maintenance()).verify()).damages).toEqual([]);
    await collect(store);
    expect(store.records.memo(id)).toBeDefined();
  });
});

async function collect(store: Store): Promise<void> {
  await (await (await store.maintenance()).planGc()).execute();
}

describe('verification', () => {
  it('finds nothing wrong with a store as it was written', async () => {
    const store = await emptyStore();
    await store.materialise(((await built(store, 'a')).out as { digest: Digest }).digest);
    await store.materialise(emptyTree.digest);
    const report = await (await store.maintenance()).verify();
    expect(report.damages).toEqual([]);
    expect(report.steps.map(({ name, checked }) => [name, checked])).toEqual([
      ['records', 3],
      ['blobs', 1],
      ['directories', 1],
      ['trees', 2],
      ['realisations', 1],
    ]);
  });

  it('finds nothing wrong with what steps and people were given: trees, files and programs', async () => {
    const store = await emptyStore();
    const batch = store.begin();
    const digest = batch.addBytes(Buffer.from('echo hello'), true);
    batch.addBytes(Buffer.from('echo hello'), false);
    await batch.commit();
    for (const executable of [true, false]) {
      await store.materialiseBlob(digest, executable);
      await store.handOut({ kind: 'blob', digest, executable });
    }
    const { steps, damages } = await (await store.maintenance()).verify();
    expect(steps.find(({ name }) => name === 'trees')?.checked).toBe(4);
    expect(damages).toEqual([]);
  });

  it('names a blob whose bytes changed, and forgets after setting it aside what led to it', async () => {
    const store = await emptyStore();
    const { id } = await built(store, 'a');
    const untouched = await built(store, 'b');
    const path = blobFile(store, 'content of a');
    chmodSync(path, 0o644);
    writeFileSync(path, 'content of x');
    const maintenance = await store.maintenance();
    const { damages } = await maintenance.verify();
    expect(damages).toEqual([{ kind: 'blob', path, name: path.slice(-64) }]);
    expect(store.records.memo(id)).toBeDefined();
    expect(await maintenance.setAside(damages)).toEqual({ derivations: [id] });
    expect(store.records.memo(id)).toBeUndefined();
    expect(store.records.memo(untouched.id)).toBeDefined();
    expect(readdirSync(join(store.path, 'corrupt'))).toEqual([path.slice(-64)]);
    expect((await maintenance.verify()).damages).toEqual([]);
  });

  it('names content that is gone and who promised it', async () => {
    const store = await emptyStore();
    await built(store, 'a');
    rmSync(blobFile(store, 'content of a'));
    const { damages } = await (await store.maintenance()).verify();
    expect(damages).toEqual([
      { kind: 'missing', digest: digestOf(Buffer.from('content of a')), wantedBy: 'a' },
    ]);
  });

  it('takes what lies in a folder of trees and is none for damage, and removes it', async () => {
    const store = await emptyStore();
    const trees = join(store.path, 'trees');
    writeFileSync(join(trees, 'a file'), '');
    writeFileSync(join(trees, `${'0'.repeat(64)}-0`), '');
    mkdirSync(join(trees, 'a folder'));
    const maintenance = await store.maintenance();
    const { damages } = await maintenance.verify();
    expect(damages).toHaveLength(3);
    await maintenance.setAside(damages);
    expect(readdirSync(trees)).toEqual([]);
  });

  it('lets go of every folder of steps that holds lost content, and of no other', async () => {
    const store = await emptyStore();
    const [lost, whole] = [await built(store, 'lost'), await built(store, 'whole')];
    const digestIn = ({ out }: { out: Node }): Digest => (out as { digest: Digest }).digest;
    const batch = store.begin();
    const above = batch.addDirectory(new Map([['below', { kind: 'tree', digest: digestIn(lost) }]]));
    const program = batch.addBytes(Buffer.from('echo'), true);
    await batch.commit();
    const folders = [digestIn(lost), above, digestIn(whole)].map((digest) => store.materialise(digest));
    const [, , kept] = await Promise.all(folders);
    const keptProgram = await store.materialiseBlob(program, true);
    rmSync(blobFile(store, 'content of lost'));
    await expect(store.blobs.read(digestOf(Buffer.from('content of lost')))).rejects.toThrow('missing');
    expect(readdirSync(join(store.path, 'trees')).sort()).toEqual(
      [kept!, keptProgram].map((path) => path.split('/').at(-2)).sort(),
    );
  });

  it('notices a materialised folder that was changed, and throws only the copy away', async () => {
    const store = await emptyStore();
    const { id, out } = await built(store, 'a');
    const folder = await store.materialise((out as { digest: Digest }).digest);
    writeFileSync(join(folder, 'more'), 'x');
    const maintenance = await store.maintenance();
    const { damages } = await maintenance.verify();
    expect(damages).toEqual([{ kind: 'tree', path: dirname(folder) }]);
    await maintenance.setAside(damages);
    expect(store.records.memo(id)).toBeDefined();
    expect(readdirSync(await store.materialise((out as { digest: Digest }).digest))).toEqual(['file']);
  });
});

describe('usage', () => {
  it('counts what was made for steps apart from the blobs it was copied from', async () => {
    const store = await emptyStore();
    const { out } = await built(store, 'a');
    await store.materialise((out as { digest: Digest }).digest);
    const { parts } = await (await store.maintenance()).usage();
    expect(parts.find(({ name }) => name === 'blobs')?.files).toBe(1);
    expect(parts.find(({ name }) => name === 'trees')?.files).toBe(2);
  });
});

describe('a folder of steps that somebody has altered', () => {
  /** A step's result `input`, a step `user` that was given it, and `dependent`, which was given what that made. */
  async function chain(store: Store) {
    const input = await built(store, 'input');
    const folder = await store.materialise((input.out as { digest: Digest }).digest);
    await setTimeout(50);
    writeFileSync(join(folder, 'extra'), 'of nobody');
    await setTimeout(50);
    const user = await built(store, 'user', [input.id]);
    const dependent = await built(store, 'dependent', [user.id]);
    return { input, user, dependent, digest: (input.out as { digest: Digest }).digest };
  }

  const known = (store: Store, steps: readonly { readonly id: Digest }[]): boolean[] =>
    steps.map(({ id }) => store.records.memo(id) !== undefined);

  it('is named, and what was made from it since is forgotten, with what needs that', async () => {
    const store = await emptyStore();
    const { input, user, dependent, digest } = await chain(store);
    const next = await openStore(store.path);
    onTestFinished(() => next.close());
    await expect(next.materialise(digest)).rejects.toMatchObject({
      code: 'STORE_ALTERED',
      message: expect.stringMatching(/user/) as string,
    });
    expect(known(next, [input, user, dependent])).toEqual([true, false, false]);
    expect(readdirSync(await next.materialise(digest))).toEqual(['file']);
  });

  it('is found by verification, and repair forgets the same', async () => {
    const store = await emptyStore();
    const { input, user, dependent } = await chain(store);
    const maintenance = await store.maintenance();
    const { damages } = await maintenance.verify();
    expect(damages).toMatchObject([{ kind: 'tree' }]);
    await maintenance.setAside(damages);
    expect(known(store, [input, user, dependent])).toEqual([true, false, false]);
    expect((await maintenance.verify()).damages).toEqual([]);
  });
});

describe('a store that was copied elsewhere', () => {
  async function copied(alter: (folder: string) => void = () => undefined) {
    const store = await emptyStore();
    const input = await built(store, 'input');
    const digest = (input.out as { digest: Digest }).digest;
    const folder = await store.materialise(digest);
    await setTimeout(50);
    alter(folder);
    const user = await built(store, 'user', [input.id]);
    await store.close();
    const copy = join(tempFolder('copy'), 'store');
    execFileSync('cp', ['-a', store.path, copy]);
    const next = await openStore(copy);
    onTestFinished(() => next.close());
    return { next, user, digest };
  }

  it('has its folders made anew, and everything built from them is kept', async () => {
    const { next, user, digest } = await copied();
    expect((await (await next.maintenance()).verify()).damages).toEqual([]);
    const folder = await next.materialise(digest);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('content of input');
    expect(lstatSync(join(folder, 'file')).atimeMs).toBe(lstatSync(folder).atimeMs);
    expect(next.records.memo(user.id)).toBeDefined();
  });

  it('brings along what was altered before: it is named, and what was made from it is forgotten', async () => {
    const { next, user, digest } = await copied((folder) => {
      // As somebody would who wants it to go unnoticed.
      const { atime, mtime } = lstatSync(join(folder, 'file'));
      chmodSync(join(folder, 'file'), 0o644);
      writeFileSync(join(folder, 'file'), 'content of nobod');
      chmodSync(join(folder, 'file'), 0o444);
      utimesSync(join(folder, 'file'), atime, mtime);
    });
    await expect(next.materialise(digest)).rejects.toMatchObject({ code: 'STORE_ALTERED' });
    expect(next.records.memo(user.id)).toBeUndefined();
  });
});

it('a batch whose bytes were in the store already brings them back when they were collected before its commit', async () => {
  const store = await emptyStore();
  await built(store, 'garbage');
  const bytes = Buffer.from('content of garbage');
  const other = await openStore(store.path);
  onTestFinished(() => other.close());
  const batch = other.begin();
  const digest = batch.addBytes(bytes);
  await collect(store);
  expect(store.blobs.has(digest)).toBe(false);
  await batch.commit();
  expect(Buffer.from(await store.blobs.read(digest))).toEqual(bytes);
});
