import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { emptyTree, openStore, type Node, type Store } from '../../store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';

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
  await batch.commit((records) => {
    records.putDescription(id, description);
    records.putMemo({ derivation: id, action, outputs: { out } });
    records.putRealisation({
      action,
      outputs: { out },
      name,
      builder: 'here',
      durationMs: 1000,
      log: undefined,
    });
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
    const plan = maintenance.planGc();
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

  it('takes materialised folders of what it deletes with it', async () => {
    const store = await emptyStore();
    const { out } = await built(store, 'garbage');
    await store.materialise((out as { digest: Digest }).digest);
    await (await store.maintenance()).planGc().execute();
    expect(readdirSync(join(store.path, 'trees'))).toEqual([]);
  });

  it('refuses while another process works in the store', async () => {
    const store = await emptyStore();
    const other = await openStore(store.path);
    onTestFinished(() => other.close());
    await other.scratch('work');
    await expect((await store.maintenance()).planGc().execute()).rejects.toMatchObject({
      code: 'STORE_BUSY',
    });
  });
});

describe('verification', () => {
  it('finds nothing wrong with a store as it was written', async () => {
    const store = await emptyStore();
    await store.materialise(((await built(store, 'a')).out as { digest: Digest }).digest);
    await store.materialise(emptyTree.digest);
    const report = await (await store.maintenance()).verify();
    expect(report.damages).toEqual([]);
    expect(report.steps.map(({ name, checked }) => [name, checked])).toEqual([
      ['blobs', 1],
      ['directories', 1],
      ['trees', 2],
      ['realisations', 1],
    ]);
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
