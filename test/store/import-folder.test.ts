import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import { directoryDigest, emptyTree, type Node, type Store } from '../../store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { freshStore } from './fresh-store.ts';
import { writeFiles } from './write-files.ts';

/** Past this, an import trusts the times of what was written before. */
const youngMs = 2100;

function blob(content: string, executable = false): Node {
  return { kind: 'blob', digest: digestOf(Buffer.from(content)), executable };
}

async function namesIn(store: Store, folder: string, exclude: readonly string[] = []): Promise<string[]> {
  const { node } = await store.importFolder(folder, { exclude });
  return readdirSync(await store.materialise(node.digest), { recursive: true, encoding: 'utf8' }).sort();
}

test('a folder becomes a tree of its files, executable bits, directories and symlinks', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, {
    'a.txt': 'a',
    'bin/run': { executable: '#!/bin/sh\n' },
    'bin/link': { symlink: '../a.txt' },
    dangling: { symlink: '/nowhere/at all' },
  });
  mkdirSync(join(folder, 'empty'));
  const { node, files, filesRead } = await store.importFolder(folder);
  const bin = new Map<string, Node>([
    ['run', blob('#!/bin/sh\n', true)],
    ['link', { kind: 'symlink', target: '../a.txt' }],
  ]);
  expect(node.digest).toBe(
    directoryDigest(
      new Map<string, Node>([
        ['a.txt', blob('a')],
        ['bin', { kind: 'tree', digest: directoryDigest(bin) }],
        ['dangling', { kind: 'symlink', target: '/nowhere/at all' }],
        ['empty', { kind: 'tree', digest: directoryDigest(new Map()) }],
      ]),
    ),
  );
  expect({ files, filesRead }).toEqual({ files: 2, filesRead: 2 });
  expect(Buffer.from(await store.blobs.read(digestOf(Buffer.from('a')))).toString()).toBe('a');
});

test('a second import reads only the file that changed', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, {
    a: 'one',
    'sub/b': 'two',
    'sub/c': 'three',
    'other/d': 'four',
    'other/l': { symlink: 'd' },
  });
  await setTimeout(youngMs);
  const first = await store.importFolder(folder);
  expect((await store.importFolder(folder)).filesRead).toBe(0);
  writeFileSync(join(folder, 'sub/c'), 'THREE');
  const second = await store.importFolder(folder);
  expect(second.filesRead).toBe(1);
  expect(second.node.digest).not.toBe(first.node.digest);
  expect(store.trees.lookup(second.node, 'sub/c')).toEqual(blob('THREE'));
  expect(store.trees.lookup(second.node, 'other')).toEqual(store.trees.lookup(first.node, 'other'));
  writeFileSync(join(folder, 'sub/c'), 'three');
  expect((await store.importFolder(folder)).node).toEqual(first.node);
});

test('names that come, go and turn into something else are noticed', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { 'a/x': 'x', 'b/y': 'y', 'c/z': 'z' });
  await setTimeout(youngMs);
  await store.importFolder(folder);
  rmSync(join(folder, 'a/x'));
  renameSync(join(folder, 'b'), join(folder, 'moved'));
  rmSync(join(folder, 'c'), { recursive: true });
  symlinkSync('moved', join(folder, 'c'));
  const changed = await store.importFolder(folder);
  expect(store.trees.get(changed.node.digest)).toEqual(
    new Map<string, unknown>([
      ['a', emptyTree],
      ['c', { kind: 'symlink', target: 'moved' }],
      ['moved', { kind: 'tree', digest: directoryDigest(new Map([['y', blob('y')]])) }],
    ]),
  );
  chmodSync(join(folder, 'moved/y'), 0o755);
  const { node } = await store.importFolder(folder);
  expect(store.trees.lookup(node, 'moved/y')).toEqual(blob('y', true));
});

test('a file that was touched but not changed keeps its content', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { a: 'one' });
  const first = await store.importFolder(folder);
  utimesSync(join(folder, 'a'), 5, 5);
  expect((await store.importFolder(folder)).node).toEqual(first.node);
});

test('a change within one tick of the clock, with the same size, is seen', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  const file = join(folder, 'a');
  // What a coarse clock would leave behind: equal size, mtime and inode; and the ctime cannot be trusted yet either.
  writeFileSync(file, 'before');
  utimesSync(file, 1000, 1000);
  await store.importFolder(folder);
  writeFileSync(file, 'after!');
  utimesSync(file, 1000, 1000);
  const { node } = await store.importFolder(folder);
  expect(store.trees.lookup(node, 'a')).toEqual(blob('after!'));
});

test('young files are looked at again, and trusted once they have aged', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFileSync(join(folder, 'a'), 'one');
  const first = await store.importFolder(folder);
  const second = await store.importFolder(folder);
  expect(second).toMatchObject({ node: first.node, files: 1, filesRead: 1 });
  await setTimeout(youngMs);
  expect((await store.importFolder(folder)).filesRead).toBe(1);
  expect((await store.importFolder(folder)).filesRead).toBe(0);
});

test('ignore files count at every level, nearest last, and .git never enters', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, {
    '.gitignore': '*.o\n/build/\nsecret\n',
    '.cairnignore': 'docs/\n!keep.o\n',
    '.git/config': 'x',
    'a.o': '',
    'keep.o': '',
    'A.O': '',
    'build/x': '',
    'sub/build/x': '',
    'sub/.gitignore': '!b.o\nlocal\n',
    'sub/b.o': '',
    'sub/local': '',
    'sub/.git': 'gitdir: elsewhere',
    'docs/d': '',
    local: '',
    'secret/s': '',
  });
  expect(await namesIn(store, folder)).toEqual([
    '.cairnignore',
    '.gitignore',
    'A.O',
    'keep.o',
    'local',
    'sub',
    'sub/.gitignore',
    'sub/b.o',
    'sub/build',
    'sub/build/x',
  ]);
  expect(await namesIn(store, folder, ['sub/', '.*', '!.gitignore'])).toEqual([
    '.gitignore',
    'A.O',
    'keep.o',
    'local',
  ]);
});

test('a changed ignore file is obeyed, even one that is itself ignored', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { '.gitignore': '.gitignore\na\n', a: '', b: '', 'sub/a': '', 'sub/b': '' });
  expect(await namesIn(store, folder)).toEqual(['b', 'sub', 'sub/b']);
  writeFiles(folder, { '.gitignore': '.gitignore\nb\n' });
  expect(await namesIn(store, folder)).toEqual(['a', 'sub', 'sub/a']);
});

test('the store itself is passed over when it lies inside the folder', async () => {
  const folder = tempFolder('source');
  const store = await freshStore(join(folder, 'store'));
  writeFiles(folder, { a: 'a' });
  expect(await namesIn(store, folder)).toEqual(['a']);
});

test('the store is passed over too when it was named by another path than that in the folder', async () => {
  const folder = tempFolder('source');
  const link = join(tempFolder('elsewhere'), 'link');
  symlinkSync(folder, link);
  const store = await freshStore(join(link, 'store'));
  writeFiles(folder, { a: 'a' });
  expect(await namesIn(store, folder)).toEqual(['a']);
});

test('what a tree cannot hold is an error that names it', async () => {
  const store = await freshStore();
  const fifo = tempFolder('source');
  execFileSync('mkfifo', [join(fifo, 'pipe')]);
  await expect(store.importFolder(fifo)).rejects.toMatchObject({
    code: 'OUTPUT_INVALID',
    message: expect.stringContaining('pipe') as string,
  });
  const odd = tempFolder('source');
  const bad = Buffer.concat([Buffer.from(`${odd}/bad`), Buffer.from([0xff])]);
  writeFileSync(bad, '');
  await expect(store.importFolder(odd)).rejects.toMatchObject({ code: 'OUTPUT_INVALID' });
  rmSync(bad);
  const replacement = tempFolder('source');
  writeFiles(replacement, { 'fine\ufffd': 'a name may hold U+FFFD' });
  expect((await store.importFolder(replacement)).files).toBe(1);
});

test('what cannot be read is an error that names it', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  await expect(store.importFolder(join(folder, 'absent'))).rejects.toMatchObject({
    code: 'SOURCE_MISSING',
    message: expect.stringContaining('absent is not there') as string,
  });
  writeFiles(folder, { file: 'x' });
  await expect(store.importFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
});

test('an import that is aborted leaves nothing behind', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { a: 'a' });
  await expect(store.importFolder(folder, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  expect(store.blobs.has(digestOf(Buffer.from('a')))).toBe(false);
});

test('thousands of files and a large one are imported by threads, and only changes are read again', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  // Hard links are quick to make, and an import takes each for a file of its own.
  for (let at = 0; at < 100; at++) writeFileSync(join(folder, `f${at}`), `content ${at}`);
  for (let at = 0; at < 100; at++) {
    mkdirSync(join(folder, `d${at}`, 'sub'), { recursive: true });
    for (let link = 0; link < 100; link++)
      linkSync(join(folder, `f${link}`), join(folder, `d${at}/sub/f${link}`));
  }
  const large = Buffer.alloc(9_000_000, 'large');
  writeFileSync(join(folder, 'large'), large);
  await setTimeout(youngMs);
  const first = await store.importFolder(folder);
  expect(first).toMatchObject({ files: 10_101, filesRead: 10_101 });
  expect(store.trees.lookup(first.node, 'large')).toMatchObject({ digest: digestOf(large) });
  expect(store.trees.lookup(first.node, 'd42/sub/f7')).toEqual(blob('content 7'));
  expect(await store.importFolder(folder)).toEqual({ ...first, filesRead: 0 });
  rmSync(join(folder, 'd99/sub/f0'));
  writeFileSync(join(folder, 'd99/sub/f0'), 'changed');
  const second = await store.importFolder(folder);
  // Taking a hard link away touches the inode, and so all its other names.
  expect(second.filesRead).toBe(101);
  const fresh = await (await freshStore()).importFolder(folder);
  expect(second.node).toEqual(fresh.node);
});
