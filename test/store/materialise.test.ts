import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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
});

test('every file has one name and is no other, whatever else the store holds', async () => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const batch = store.begin();
  const other = batch.addDirectory(new Map([['sub', { kind: 'tree' as const, digest: tree }]]));
  await batch.commit();
  await store.handOut({ kind: 'tree', digest: tree });
  const inodes = [await store.materialise(tree), join(await store.materialise(other), 'sub')].flatMap(
    (path) => ['a', 'sub/a', 'x', 'sub/x'].map((name) => lstatSync(join(path, name))),
  );
  expect(inodes.map(({ nlink }) => nlink)).toEqual(Array(8).fill(1));
  expect(new Set(inodes.map(({ ino }) => ino)).size).toBe(8);
  expect(lstatSync(await store.blobs.path(hello, false)).nlink).toBe(1);
});

test('who has read a file does not show in its times', async () => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const path = await store.materialise(tree);
  const times = () => ['.', 'a', 'sub', 'l'].map((name) => lstatSync(join(path, name)).atimeMs);
  const before = times();
  readFileSync(join(path, 'a'));
  readlinkSync(join(path, 'l'));
  readdirSync(join(path, 'sub'));
  readdirSync(path);
  expect(times()).toEqual(before);
  expect(new Set(before).size).toBe(1);
});

test('a large file and thousands of small ones are copied whole', async () => {
  const store = await freshStore();
  const batch = store.begin();
  const sizes = [300_000, (256 << 10) - 1, 256 << 10, ...Array.from({ length: 2000 }, (_, at) => at % 700)];
  const bytes = sizes.map((size, at) => Buffer.alloc(size, `${at} `));
  const nodes = bytes.map((content, at): [string, Node] => [
    `file-${at}`,
    { kind: 'blob', digest: batch.addBytes(content, at % 3 === 0), executable: at % 3 === 0 },
  ]);
  const tree = batch.addDirectory(new Map(nodes));
  await batch.commit();
  const path = await store.materialise(tree);
  for (const [at, content] of bytes.entries()) {
    expect(readFileSync(join(path, `file-${at}`)).equals(content)).toBe(true);
    expect(lstatSync(join(path, `file-${at}`)).mode & 0o777).toBe(at % 3 === 0 ? 0o555 : 0o444);
  }
});

test('people get a read-only folder of their own, which steps are not run on', async () => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const [forPeople, forSteps] = [
    await store.handOut({ kind: 'tree', digest: tree }),
    await store.materialise(tree),
  ];
  expect(forPeople).not.toBe(forSteps);
  expect(['.', 'sub', 'a', 'x'].map((name) => lstatSync(join(forPeople, name)).mode & 0o777)).toEqual([
    0o555, 0o555, 0o444, 0o555,
  ]);
  chmodSync(forPeople, 0o755);
  rmSync(join(forPeople, 'a'));
  writeFileSync(join(forPeople, 'extra'), 'text');
  const again = await freshStore(store.path);
  expect(readdirSync(await again.handOut({ kind: 'tree', digest: tree })).sort()).toEqual(
    readdirSync(forSteps).sort(),
  );
  const file = await store.handOut({ kind: 'blob', digest: hello, executable: true });
  expect(readFileSync(file, 'utf8')).toBe('hello');
  expect(file).not.toBe(await store.blobs.path(hello, true));
});

const alterations: Readonly<Record<string, (folder: string) => void>> = {
  'a file that was written to': (folder) => overwrite(join(folder, 'sub/a'), 'HELLO'),
  'a file written to, with its times put back': (folder) => {
    overwrite(join(folder, 'sub/a'), 'HELLO');
    utimesSync(join(folder, 'sub/a'), 2 ** 31 - 1, 1);
  },
  'a file that was added': (folder) => writeFileSync(join(folder, 'empty/extra'), ''),
  'a file that is gone': (folder) => rmSync(join(folder, 'sub/x')),
  'a folder that was moved away and back': (folder) => {
    renameSync(join(folder, 'sub'), join(folder, 'away'));
    renameSync(join(folder, 'away'), join(folder, 'sub'));
  },
  'a mode that was changed': (folder) => chmodSync(join(folder, 'x'), 0o755),
  'a symlink that leads elsewhere': (folder) => {
    rmSync(join(folder, 'l'));
    symlinkSync('/etc', join(folder, 'l'));
  },
  'half of it left by somebody who was stopped while deleting it': (folder) =>
    rmSync(join(folder, 'sub'), { recursive: true }),
};

test.each(Object.entries(alterations))('a folder is made anew after %s', async (_, alter) => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const folder = await store.materialise(tree);
  const before = listing(folder);
  await afterClockStep();
  alter(folder);
  const next = await freshStore(store.path);
  expect(await next.materialise(tree)).toBe(folder);
  expect(listing(folder)).toEqual(before);
});

test('a folder that nobody has altered is not made again', async () => {
  const store = await freshStore();
  const tree = await helloTree(store);
  const folder = await store.materialise(tree);
  const { ino } = lstatSync(join(folder, 'sub/a'));
  const next = await freshStore(store.path);
  expect(lstatSync(join(await next.materialise(tree), 'sub/a')).ino).toBe(ino);
});

function listing(folder: string): unknown {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stats = lstatSync(join(folder, name));
      const content = stats.isFile() ? readFileSync(join(folder, name), 'utf8') : '';
      return [
        name,
        stats.mode,
        stats.mtimeMs,
        content,
        stats.isSymbolicLink() ? readlinkSync(join(folder, name)) : '',
      ];
    });
}

// File times move in steps of up to 10 ms: what happens within the step in which a folder was sealed cannot be told.
async function afterClockStep(): Promise<void> {
  await setTimeout(50);
}

test('a tree is made once, however many ask', async () => {
  const store = await freshStore();
  const other = await freshStore(store.path);
  const tree = await helloTree(store);
  const paths = await Promise.all([store, store, other, other].map((open) => open.materialise(tree)));
  expect(new Set(paths).size).toBe(1);
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

test.each<[string, (store: Store) => Promise<unknown>]>([
  ['is verified', (store) => store.blobs.verified(hello)],
  ['is to become a program', (store) => store.blobs.path(hello, true)],
])('bytes that changed behind unchanged times are noticed when their file %s', async (_, ask) => {
  const store = await freshStore();
  const batch = store.begin();
  batch.addBytes(Buffer.from('hello'));
  await batch.commit();
  const path = await store.blobs.path(hello, false);
  overwrite(path, 'HELLO');
  chmodSync(path, 0o444);
  utimesSync(path, 1, 1);
  await expect(ask(store)).rejects.toThrow(MissingBlob);
  expect(readdirSync(join(store.path, 'corrupt'))).toEqual([digestHash(hello)]);
  expect([false, true].map((executable) => existsSync(`${path}${executable ? '.x' : ''}`))).toEqual([
    false,
    false,
  ]);
});
