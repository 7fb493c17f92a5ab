import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHash, digestOf, type Digest } from '../../store/base/digest.ts';
import { emptyTree, MissingBlob, type Node, type Store } from '../../store/index.ts';
import { freshStore } from './fresh-store.ts';

const hello = digestOf(Buffer.from('hello'));

/** A tree with one content as a plain and as an executable file, a symlink, and the same again further down. */
async function helloTree(store: Store): Promise<Digest> {
  const batch = store.begin();
  batch.addBytes(Buffer.from('hello'));
  batch.addBytes(Buffer.from('hello'), true);
  const leaves: [string, Node][] = [
    ['a', { kind: 'blob', digest: hello, executable: false }],
    ['x', { kind: 'blob', digest: hello, executable: true }],
    ['l', { kind: 'symlink', target: '../nowhere' }],
  ];
  const sub = batch.addDirectory(new Map(leaves));
  const tree = batch.addDirectory(
    new Map<string, Node>([...leaves, ['sub', { kind: 'tree', digest: sub }], ['empty', emptyTree]]),
  );
  await batch.commit();
  return tree;
}

test('a tree becomes a folder of read-only files with the same modes and times everywhere', async () => {
  const store = await freshStore();
  const umask = process.umask(0o077);
  const path = await helloTree(store)
    .then((tree) => store.materialise(tree))
    .finally(() => process.umask(umask));
  expect(readdirSync(path).sort()).toEqual(['a', 'empty', 'l', 'sub', 'x']);
  expect(readlinkSync(join(path, 'sub/l'))).toBe('../nowhere');
  const modes = {
    a: 0o100444,
    x: 0o100555,
    sub: 0o040755,
    empty: 0o040755,
    'sub/a': 0o100444,
    '.': 0o040755,
  };
  for (const [name, mode] of Object.entries(modes))
    expect([name, lstatSync(join(path, name)).mode]).toEqual([name, mode]);
  for (const name of [...Object.keys(modes), 'l', 'sub/l'])
    expect([name, lstatSync(join(path, name)).mtimeMs]).toEqual([name, 1000]);
  expect(lstatSync(join(path, 'a')).ino).toBe(lstatSync(join(path, 'sub/a')).ino);
});

test('a tree is made once, however many ask', async () => {
  const store = await freshStore();
  const other = await freshStore(store.path);
  const tree = await helloTree(store);
  const paths = await Promise.all([store, store, other, other].map((open) => open.materialise(tree)));
  expect(new Set(paths).size).toBe(1);
  expect(lstatSync(join(paths[0]!, 'a')).nlink).toBe(3);
  expect(await store.materialise(emptyTree.digest)).toMatch(digestHash(emptyTree.digest));
});

test('content that is missing is named, and nothing half-made stays', async () => {
  const store = await freshStore();
  const tree = await helloTree(store);
  rmSync(await store.blobs.path(hello, false));
  rmSync(await store.blobs.path(hello, true));
  await expect(store.materialise(tree)).rejects.toEqual(new MissingBlob(hello));
  await expect(store.materialise(hello)).rejects.toEqual(new MissingBlob(hello));
  expect(readdirSync(join(store.path, 'trees'))).toEqual([]);
});

function overwrite(path: string, content: string): void {
  const { mode } = lstatSync(path);
  chmodSync(path, 0o644);
  writeFileSync(path, content);
  chmodSync(path, mode);
}

test.each([
  ['changed in place', 'HELLO'],
  ['cut short', 'hel'],
])('a blob that was %s is noticed, set aside, and its folders go with it', async (_, content) => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const spoilt = await store.materialise(tree);
  const sub = store.trees.get(tree)!.get('sub') as Node & { kind: 'tree' };
  for (const executable of [false, true]) overwrite(await store.blobs.path(hello, executable), content);
  await expect(store.materialise(sub.digest)).rejects.toEqual(new MissingBlob(hello));
  expect(existsSync(spoilt)).toBe(false);
  await expect(store.blobs.read(hello)).rejects.toEqual(new MissingBlob(hello));
  await helloTree(store);
  expect(readFileSync(join(await store.materialise(tree), 'sub/a'), 'utf8')).toBe('hello');
});

test('a blob whose times or mode were changed is whole, and is put right', async () => {
  const store = await freshStore();
  await helloTree(store);
  const path = await store.blobs.path(hello, false);
  chmodSync(path, 0o666);
  utimesSync(path, 5, 5);
  expect(await store.blobs.path(hello, false)).toBe(path);
  expect(lstatSync(path)).toMatchObject({ mode: 0o100444, mtimeMs: 1000 });
});

test('bytes that changed behind unchanged times are noticed when they are read', async () => {
  const store = await freshStore();
  await helloTree(store);
  const path = await store.blobs.path(hello, false);
  overwrite(path, 'HELLO');
  utimesSync(path, 1, 1);
  // The executable file of the same content is whole.
  expect(Buffer.from(await store.blobs.read(hello)).toString()).toBe('hello');
  expect(readdirSync(join(store.path, 'corrupt'))).toEqual([digestHash(hello)]);
});

test('a blob that is there for one executable bit serves the other', async () => {
  const store = await freshStore();
  const batch = store.begin();
  batch.addBytes(Buffer.from('hello'));
  await batch.commit();
  const path = await store.blobs.path(hello, true);
  expect(lstatSync(path)).toMatchObject({ mode: 0o100555, mtimeMs: 1000 });
  expect(readFileSync(path, 'utf8')).toBe('hello');
  await expect(store.blobs.path(digestOf(Buffer.from('other')), true)).rejects.toThrow(MissingBlob);
});
