import type { FileBatch } from '../../store/content/batch.ts';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHash, digestOf } from '../../store/base/digest.ts';
import { directoryDigest, emptyTree, MissingBlob, type Node, type Store } from '../../store/index.ts';
import { freshStore } from './fresh-store.ts';
import { writeFiles } from './write-files.ts';

function blob(content: string, executable = false): Node & { kind: 'blob' } {
  return { kind: 'blob', digest: digestOf(Buffer.from(content)), executable };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

test('what is added is there after commit and not before', async () => {
  const store = await freshStore();
  const other = await freshStore(store.path);
  const batch = store.begin();
  const digest = batch.addBytes(Buffer.from('hello'));
  const root = batch.addDirectory(new Map([['a', blob('hello')]]));
  expect(digest).toBe(blob('hello').digest);
  expect(batch.directory(root)).toEqual(new Map([['a', blob('hello')]]));
  for (const seen of [store, other]) {
    expect(seen.blobs.has(digest)).toBe(false);
    expect(seen.trees.get(root)).toBeUndefined();
  }
  await batch.commit((records) => records.putDuration('x', 12));
  for (const seen of [store, other]) {
    expect(seen.blobs.has(digest)).toBe(true);
    expect(Buffer.from(await seen.blobs.read(digest)).toString()).toBe('hello');
    expect(seen.trees.get(root)).toEqual(new Map([['a', blob('hello')]]));
    expect(seen.records.duration('x')).toBe(12);
  }
});

test('a batch that is discarded leaves no trace, and an ended one cannot be used', async () => {
  const store = await freshStore();
  const batch = store.begin();
  const digest = batch.addBytes(Buffer.from('hello'));
  await batch.addStream(chunks('more'));
  await batch.discard();
  expect(store.blobs.has(digest)).toBe(false);
  expect(filesIn(join(store.path, 'tmp'))).toEqual([]);
  expect(() => batch.addBytes(Buffer.from('late'))).toThrow(/bug: a batch was used after/);
  await expect(batch.commit()).rejects.toThrow(/bug: a batch was used after/);
  await batch.discard();
});

test('records that cannot be encoded fail the commit, and none of it is there', async () => {
  const store = await freshStore();
  const batch = store.begin();
  const digest = batch.addBytes(Buffer.from('hello'));
  const commit = batch.commit((records) => {
    records.putDuration('x', 1);
    records.putCached('bad', 0.5);
  });
  await expect(commit).rejects.toThrow(/not a safe integer/);
  expect(store.blobs.has(digest)).toBe(false);
  expect(store.records.duration('x')).toBeUndefined();
});

test('a stream is hashed as it is written', async () => {
  const store = await freshStore();
  const batch = store.begin();
  expect(await batch.addStream(chunks('he', '', 'llo'), { executable: true })).toBe(blob('hello').digest);
  expect(await batch.addStream(chunks())).toBe(blob('').digest);
  await batch.commit();
  const path = await store.blobs.path(blob('hello').digest, true);
  expect(lstatSync(path).mode & 0o7777).toBe(0o555);
  expect(readFileSync(await store.blobs.path(blob('').digest, false), 'utf8')).toBe('');
});

test('a stream that breaks or is aborted leaves nothing', async () => {
  const store = await freshStore();
  const batch = store.begin();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.alloc(1_000_000));
    throw new Error('connection lost');
  }
  await expect(batch.addStream(broken())).rejects.toThrow('connection lost');
  await expect(batch.addStream(chunks('x'), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  expect(filesIn(join(store.path, 'tmp'))).toEqual([]);
});

test('one content is kept once, whoever brings it and how often', async () => {
  const store = await freshStore();
  for (let round = 0; round < 2; round++) {
    const batch = store.begin();
    batch.addBytes(Buffer.from('hello'));
    batch.addBytes(Buffer.from('hello'));
    await batch.addStream(chunks('hello'));
    const file = join(await store.scratch('x'), 'file');
    writeFileSync(file, 'hello');
    expect(await batch.takeFile(file, false)).toBe(blob('hello').digest);
    expect(existsSync(file)).toBe(false);
    await batch.commit();
    expect(filesIn(join(store.path, 'blobs'))).toEqual([digestHash(blob('hello').digest)]);
  }
});

test('a blob that was cut short is replaced by a whole one', async () => {
  const store = await freshStore();
  const add = async (): Promise<void> => {
    const batch = store.begin();
    batch.addBytes(Buffer.from('hello'));
    await batch.commit();
  };
  await add();
  const path = await store.blobs.path(blob('hello').digest, false);
  rmSync(path);
  writeFileSync(path, 'hel');
  expect(store.blobs.has(blob('hello').digest)).toBe(false);
  await add();
  expect(Buffer.from(await store.blobs.read(blob('hello').digest)).toString()).toBe('hello');
});

test('a commit that relied on content which has gone since says so and records nothing', async () => {
  const store = await freshStore();
  const first = store.begin();
  first.addBytes(Buffer.from('hello'));
  await first.commit();
  const second = store.begin();
  // As an import does, which has not read the file again.
  (second as unknown as Pick<FileBatch, 'share'>).share(blob('hello').digest, false);
  rmSync(await store.blobs.path(blob('hello').digest, false));
  await expect(second.commit((records) => records.putDuration('x', 1))).rejects.toThrow(MissingBlob);
  expect(store.records.duration('x')).toBeUndefined();
});

async function takeFolder(store: Store, folder: string): Promise<Node & { kind: 'tree' }> {
  const batch = store.begin();
  const tree = await batch.takeFolder(folder);
  await batch.commit();
  return tree;
}

test('a folder is taken over as a tree, hard links as files of their own', async () => {
  const store = await freshStore();
  const folder = await store.scratch('out');
  writeFiles(folder, {
    'bin/x': { executable: 'hi' },
    a: 'hi',
    l: { symlink: 'a' },
    secret: 'no one may read',
  });
  linkSync(join(folder, 'a'), join(folder, 'b'));
  linkSync(join(folder, 'bin/x'), join(store.path, 'tmp/elsewhere'));
  chmodSync(join(folder, 'secret'), 0);
  mkdirSync(join(folder, 'empty'), 0);
  const tree = await takeFolder(store, folder);
  const bin = directoryDigest(new Map([['x', blob('hi', true)]]));
  expect(store.trees.get(tree.digest)).toEqual(
    new Map<string, Node>([
      ['a', blob('hi')],
      ['b', blob('hi')],
      ['bin', { kind: 'tree', digest: bin }],
      ['empty', emptyTree],
      ['l', { kind: 'symlink', target: 'a' }],
      ['secret', blob('no one may read')],
    ]),
  );
  // Whoever holds another name of a file must not be able to change the blob.
  writeFileSync(join(store.path, 'tmp/elsewhere'), 'changed');
  expect(Buffer.from(await store.blobs.read(blob('hi').digest)).toString()).toBe('hi');
  for (const executable of [false, true])
    expect(lstatSync(await store.blobs.path(blob('hi').digest, executable))).toMatchObject({
      mtimeMs: 1000,
      nlink: 1,
    });
});

test('a folder of many files is taken over by threads', async () => {
  const store = await freshStore();
  const folder = await store.scratch('out');
  for (let at = 0; at < 300; at++) writeFileSync(join(folder, `f${at}`), `content ${at}`);
  writeFileSync(join(folder, 'large'), Buffer.alloc(5_000_000, 'x'));
  const tree = store.trees.get((await takeFolder(store, folder)).digest)!;
  expect(tree.size).toBe(301);
  expect(tree.get('f77')).toEqual(blob('content 77'));
  expect(tree.get('large')).toEqual(blob('x'.repeat(5_000_000)));
  expect(filesIn(join(store.path, 'blobs'))).toHaveLength(301);
});

test.each<[string, (folder: string) => void, RegExp]>([
  ['a fifo', (folder) => execFileSync('mkfifo', [join(folder, 'sub/odd')]), /sub\/odd is a named pipe/],
  [
    'a name that is not UTF-8',
    (folder) => writeFileSync(Buffer.concat([Buffer.from(`${folder}/sub/odd`), Buffer.from([0xff])]), ''),
    /odd.*is not a UTF-8 name/,
  ],
  [
    'a link whose target is not UTF-8',
    (folder) => symlinkSync(Buffer.from([0xff]), join(folder, 'sub/odd')),
    /the target of the symlink .*sub\/odd is not UTF-8/,
  ],
])('%s cannot be taken over: an error names it', async (_, make, message) => {
  const store = await freshStore();
  const folder = await store.scratch('out');
  mkdirSync(join(folder, 'sub'));
  make(folder);
  const batch = store.begin();
  await expect(batch.takeFolder(folder)).rejects.toMatchObject({
    code: 'OUTPUT_INVALID',
    message: expect.stringMatching(message) as string,
  });
  await batch.discard();
});

test('batches that commit at the same moment all become durable', async () => {
  const store = await freshStore();
  const commits = Array.from({ length: 20 }, async (_, at) => {
    const batch = store.begin();
    for (let file = 0; file < 10; file++) batch.addBytes(Buffer.from(`${at} ${file}`));
    await batch.commit((records) => records.putDuration(`d${at}`, at));
  });
  await Promise.all(commits);
  expect(filesIn(join(store.path, 'blobs'))).toHaveLength(200);
  expect(store.records.duration('d19')).toBe(19);
});

test('without a program that flushes a file system, each file is flushed', async () => {
  const store = await freshStore();
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    const batch = store.begin();
    for (let file = 0; file < 10; file++) batch.addBytes(Buffer.from(`${file}`));
    await batch.commit();
  } finally {
    process.env['PATH'] = path;
  }
  expect(filesIn(join(store.path, 'blobs'))).toHaveLength(10);
});
