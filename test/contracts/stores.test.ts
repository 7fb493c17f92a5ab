// What store.ts promises of content, records and locks, of every store there is. What a disk brings with it (damage,
// collection, processes that die, imports) has its tests in test/store.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import {
  MissingBlob,
  directoryDigest,
  emptyTree,
  openStore,
  type Node,
  type TreeNode,
} from '../../store/index.ts';
import { MemoryStore, type ContentStore } from '../support/memory-store.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { madeRealisation } from '../support/realisations.ts';

interface Kind {
  readonly what: string;
  readonly open: () => Promise<ContentStore>;
  /** Another open store with what this one has. */
  readonly another: (store: ContentStore) => Promise<ContentStore>;
}

const kinds: Kind[] = [
  {
    what: 'on disk',
    open: () => openStore(join(tempFolder('store'), 'store')),
    another: ({ path }) => openStore(path),
  },
  {
    what: 'in memory',
    open: () => Promise.resolve(new MemoryStore()),
    another: (store) => Promise.resolve((store as MemoryStore).another()),
  },
];

const bytes = (text: string): Buffer => Buffer.from(text);
const absent = digestOf(bytes('absent'));

describe.each(kinds)('a store $what', ({ open, another }) => {
  async function opened(): Promise<ContentStore> {
    const store = await open();
    onTestFinished(() => store.close());
    return store;
  }

  async function besides(store: ContentStore): Promise<ContentStore> {
    const other = await another(store);
    onTestFinished(() => other.close());
    return other;
  }

  /** A committed tree: a file, a program, a symlink, and a folder with a file. */
  async function committedTree(store: ContentStore): Promise<TreeNode> {
    const batch = store.begin();
    const file: Node = { kind: 'blob', digest: batch.addBytes(bytes('file')), executable: false };
    const program: Node = { kind: 'blob', digest: batch.addBytes(bytes('run'), true), executable: true };
    const inner = batch.addDirectory(new Map([['file', file]]));
    const digest = batch.addDirectory(
      new Map<string, Node>([
        ['file', file],
        ['run', program],
        ['link', { kind: 'symlink', target: 'file' }],
        ['inner', { kind: 'tree', digest: inner }],
      ]),
    );
    await batch.commit();
    return { kind: 'tree', digest };
  }

  describe('keeps content that', () => {
    test('is there for everybody after commit, and for nobody before', async () => {
      const store = await opened();
      const other = await besides(store);
      const batch = store.begin();
      const blob = batch.addBytes(bytes('new'));
      const tree = batch.addDirectory(new Map([['a', { kind: 'blob', digest: blob, executable: false }]]));
      expect(batch.directory(tree)?.has('a')).toBe(true);
      expect([store.blobs.has(blob), store.trees.get(tree)]).toEqual([false, undefined]);
      await batch.commit();
      for (const each of [store, other]) {
        expect(Buffer.from(await each.blobs.read(blob)).toString()).toBe('new');
        expect([...each.trees.get(tree)!.keys()]).toEqual(['a']);
        expect(each.begin().directory(tree)?.has('a')).toBe(true);
      }
    });

    test('is gone without a trace when its batch is discarded', async () => {
      const store = await opened();
      const batch = store.begin();
      const blob = batch.addBytes(bytes('dropped'));
      await batch.discard();
      expect(store.blobs.has(blob)).toBe(false);
      await expect((async () => batch.commit())()).rejects.toThrow();
    });

    test('stays when its batch is discarded after the commit', async () => {
      const store = await opened();
      const batch = store.begin();
      const blob = batch.addBytes(bytes('kept'));
      await batch.commit();
      await batch.discard();
      expect(store.blobs.has(blob)).toBe(true);
    });

    test('came as a stream, a file or bytes that were hashed already', async () => {
      const store = await opened();
      const folder = await store.scratch('files');
      const batch = store.begin();
      const stream = (async function* () {
        await Promise.resolve();
        yield bytes('a ');
        yield bytes('stream');
      })();
      writeFileSync(join(folder, 'file'), 'a file');
      writeFileSync(join(folder, 'hashed'), 'hashed');
      const digests = [
        await batch.addStream(stream),
        await batch.takeFile(join(folder, 'file'), false),
        digestOf(bytes('hashed')),
      ];
      batch.adopt(join(folder, 'hashed'), digests[2]!, true);
      await batch.commit();
      const read = await Promise.all(digests.map((digest) => store.blobs.read(digest)));
      expect(read.map((content) => Buffer.from(content).toString())).toEqual([
        'a stream',
        'a file',
        'hashed',
      ]);
      expect(readdirSync(folder)).toEqual([]);
    });

    test('breaks off in a stream is not there, nor is it when it is aborted', async () => {
      const store = await opened();
      const batch = store.begin();
      const stop = new AbortController();
      const stream = async function* (end: () => void): AsyncGenerator<Uint8Array> {
        await Promise.resolve();
        yield bytes('half');
        end();
        yield bytes('whole');
      };
      const breaks = (): never => {
        throw new Error('broken');
      };
      await expect(batch.addStream(stream(breaks))).rejects.toThrow('broken');
      const { signal } = stop;
      const stopped = batch.addStream(
        stream(() => stop.abort(new Error('stopped'))),
        { signal },
      );
      await expect(stopped).rejects.toThrow('stopped');
      await batch.commit();
      expect(['half', 'halfwhole'].some((text) => store.blobs.has(digestOf(bytes(text))))).toBe(false);
    });

    test('was a folder: its links are kept apart, and of modes the executable bit alone counts', async () => {
      const store = await opened();
      const folder = join(await store.scratch('taken'), 'folder');
      mkdirSync(join(folder, 'empty'), { recursive: true });
      writeFileSync(join(folder, 'one'), 'same');
      linkSync(join(folder, 'one'), join(folder, 'two'));
      writeFileSync(join(folder, 'run'), 'run');
      chmodSync(join(folder, 'run'), 0o4711);
      symlinkSync('/nowhere', join(folder, 'link'));
      const batch = store.begin();
      const { digest } = await batch.takeFolder(folder);
      await batch.commit();
      const same = digestOf(bytes('same'));
      const expected = new Map<string, Node>([
        ['empty', emptyTree],
        ['link', { kind: 'symlink', target: '/nowhere' }],
        ['one', { kind: 'blob', digest: same, executable: false }],
        ['run', { kind: 'blob', digest: digestOf(bytes('run')), executable: true }],
        ['two', { kind: 'blob', digest: same, executable: false }],
      ]);
      expect(digest).toBe(directoryDigest(expected));
      expect(store.trees.get(digest)).toEqual(expected);
      expect(store.blobs.has(same)).toBe(true);
    });

    test('no tree can hold is refused by name', async () => {
      const store = await opened();
      const folder = await store.scratch('taken');
      execFileSync('mkfifo', [join(folder, 'pipe')]);
      const batch = store.begin();
      await expect(batch.takeFolder(folder)).rejects.toMatchObject({
        code: 'OUTPUT_INVALID',
        message: expect.stringContaining('pipe') as string,
      });
      await batch.discard();
    });

    test('is not there is a MissingBlob that names it', async () => {
      const store = await opened();
      const missing = expect.objectContaining({ constructor: MissingBlob, digest: absent }) as Error;
      expect([store.blobs.has(absent), store.trees.get(absent)]).toEqual([false, undefined]);
      for (const asked of [
        store.blobs.read(absent),
        store.blobs.path(absent, false),
        store.blobs.verified(absent),
        store.materialise(absent),
        store.materialiseBlob(absent, true),
        store.handOut({ kind: 'tree', digest: absent }),
      ])
        await expect(asked).rejects.toEqual(missing);
      expect(() => store.trees.lookup({ kind: 'tree', digest: absent }, 'a')).toThrow(MissingBlob);
    });

    test('a directory names has to be there when its batch is committed, or nothing of that comes', async () => {
      const store = await opened();
      const other = digestOf(bytes('another one'));
      for (const node of [
        { kind: 'blob', digest: absent, executable: true },
        { kind: 'tree', digest: absent },
      ] as const) {
        const batch = store.begin();
        const tree = batch.addDirectory(new Map<string, Node>([['a', node]]));
        const committed = (async () => batch.commit())();
        await expect(committed).rejects.toMatchObject({ name: 'MissingBlob', digest: absent });
        expect(store.trees.get(tree)).toBeUndefined();
      }
      const both = store.begin();
      both.addDirectory(
        new Map<string, Node>([
          ['a', { kind: 'blob', digest: absent, executable: false }],
          ['b', { kind: 'blob', digest: other, executable: false }],
        ]),
      );
      await expect((async () => both.commit())()).rejects.toMatchObject({
        digests: new Set([absent, other]),
      });
    });

    describe('was left elsewhere', () => {
      const left = bytes('left');
      const digest = digestOf(left);
      const file: Node = { kind: 'blob', digest, executable: false };

      /** A store with a tree whose one file was left at "there", and the tree. */
      async function leaving(): Promise<{ store: ContentStore; tree: Digest }> {
        const store = await opened();
        const batch = store.begin();
        const tree = batch.addDirectory(new Map([['file', file]]));
        batch.leave(digest, 'there');
        await batch.commit();
        return { store, tree };
      }

      const states = (store: ContentStore): unknown[] => [
        ...[store.blobs.has(digest), store.left.has(digest), store.left.any()],
        store.left.placeOf(digest),
      ];

      test('is known to be, for everybody and after a commit alone; to be read it has to come first', async () => {
        const store = await opened();
        const dropped = store.begin();
        dropped.leave(digest, 'there');
        await dropped.discard();
        expect(states(store)).toEqual([false, false, false, undefined]);
        const { store: leftIn, tree } = await leaving();
        for (const each of [leftIn, await besides(leftIn)]) {
          expect(states(each)).toEqual([false, true, true, 'there']);
          expect([...each.trees.get(tree)!]).toEqual([['file', file]]);
          for (const asked of [
            each.blobs.read(digest),
            each.blobs.path(digest, true),
            each.materialise(tree),
          ])
            await expect(asked).rejects.toMatchObject({ name: 'MissingBlob', digest });
        }
      });

      test('may be named by other trees, but not by those that have to be whole', async () => {
        const { store } = await leaving();
        const entries = new Map<string, Node>([['other name', file]]);
        const batch = store.begin();
        const tree = batch.addDirectory(entries);
        await batch.commit();
        expect(store.trees.get(tree)?.has('other name')).toBe(true);
        const whole = store.begin({ isWhole: true });
        whole.addDirectory(entries);
        await expect((async () => whole.commit())()).rejects.toMatchObject({ name: 'MissingBlob', digest });
      });

      test('is here when it has come, and left no longer, whoever says so later', async () => {
        const { store, tree } = await leaving();
        const batch = store.begin();
        batch.addBytes(left);
        await batch.commit();
        expect(states(store)).toEqual([true, false, false, undefined]);
        const late = store.begin();
        late.addBytes(left);
        late.leave(digest, 'elsewhere');
        await late.commit();
        expect(states(store)).toEqual([true, false, false, undefined]);
        expect(readFileSync(join(await store.materialise(tree), 'file'), 'utf8')).toBe('left');
      });
    });

    test('is found by its path in a tree, where symlinks are not followed', async () => {
      const store = await opened();
      const tree = await committedTree(store);
      expect(store.trees.lookup(tree, '')).toEqual(tree);
      expect(store.trees.lookup(tree, 'inner/file')).toMatchObject({ digest: digestOf(bytes('file')) });
      for (const path of ['absent', 'inner/absent', 'file/x', 'link/x'])
        expect(store.trees.lookup(tree, path)).toBeUndefined();
      expect(() => store.trees.lookup(tree, '../x')).toThrow(
        expect.objectContaining({ code: 'PATH_INVALID' }),
      );
      expect(store.trees.get(emptyTree.digest)).toEqual(new Map());
    });

    test('is read from a file, too', async () => {
      const store = await opened();
      await committedTree(store);
      const [file, run] = [digestOf(bytes('file')), digestOf(bytes('run'))];
      expect(readFileSync(await store.blobs.path(file, false), 'utf8')).toBe('file');
      expect(statSync(await store.blobs.path(run, true)).mode & 0o777).toBe(0o555);
      expect(readFileSync(await store.blobs.verified(file), 'utf8')).toBe('file');
    });
  });

  describe('gives folders', () => {
    test('whose links, times and modes follow from the tree alone', async () => {
      const store = await opened();
      const { digest } = await committedTree(store);
      const folder = await store.materialise(digest);
      expect(await store.materialise(digest)).toBe(folder);
      const facts = (path: string): unknown[] => {
        const { mode, nlink, mtimeMs } = lstatSync(join(folder, path));
        return [(mode & 0o777).toString(8), mtimeMs, ...(path === '' || path === 'inner' ? [] : [nlink])];
      };
      expect(['', 'inner', 'file', 'inner/file', 'run'].map(facts)).toEqual([
        ['755', 1000],
        ['755', 1000],
        ['444', 1000, 1],
        ['444', 1000, 1],
        ['555', 1000, 1],
      ]);
      expect(readlinkSync(join(folder, 'link'))).toBe('file');
    });

    test('to people that are not those of steps, nor writable', async () => {
      const store = await opened();
      const tree = await committedTree(store);
      const [theirs, ofSteps] = [await store.handOut(tree), await store.materialise(tree.digest)];
      expect(theirs).not.toBe(ofSteps);
      expect([theirs, join(theirs, 'inner')].map((path) => statSync(path).mode & 0o222)).toEqual([0, 0]);
      expect(statSync(join(theirs, 'file')).ino).not.toBe(statSync(join(ofSteps, 'file')).ino);
    });

    test('for single blobs: a file of its own for steps, and another for people', async () => {
      const store = await opened();
      await committedTree(store);
      const digest = digestOf(bytes('run'));
      const paths = [
        await store.materialiseBlob(digest, true),
        await store.materialiseBlob(digest, false),
        await store.handOut({ kind: 'blob', digest, executable: true }),
      ];
      expect(new Set(paths.map((path) => statSync(path).ino)).size).toBe(3);
      expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o555, 0o444, 0o555]);
      expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['run', 'run', 'run']);
    });

    test('for work, a fresh one each time, until it is closed', async () => {
      const store = await open();
      const folders = [await store.scratch('work'), await store.scratch('work')];
      expect(new Set(folders).size).toBe(2);
      expect(folders.map((folder) => readdirSync(folder))).toEqual([[], []]);
      await store.close();
      expect(folders.map((folder) => existsSync(folder))).toEqual([false, false]);
    });
  });

  describe('keeps records that', () => {
    const [action, derivation, out] = ['action', 'derivation', 'out'].map((text) =>
      digestOf(bytes(text)),
    ) as [Digest, Digest, Digest];
    const outputs = { out: { kind: 'blob', digest: out, executable: true } } as const;
    const signed = [Uint8Array.of(1), Uint8Array.of(2, 3)];
    const memo = { derivation, action, outputs };
    const description = { name: 'x', list: [1, 'two', null] };

    test('come back as they were written, in another open store too; what was never written is absent', async () => {
      const store = await opened();
      const other = await besides(store);
      const read = ({ records }: ContentStore): unknown => ({
        memo: records.memo(derivation),
        lineage: records.lineage('line'),
        descriptions: [records.description(derivation), records.description(action)],
        isThere: [records.hasDescription(derivation), records.hasDescription(out)],
        duration: records.duration('line'),
        roots: [...records.roots()],
        root: records.root('b'),
        signed: records.signed(derivation),
        cached: records.cached('key'),
      });
      expect(read(store)).toEqual({
        memo: undefined,
        lineage: undefined,
        descriptions: [undefined, undefined],
        isThere: [false, false],
        duration: undefined,
        roots: [],
        root: undefined,
        signed: [],
        cached: undefined,
      });
      await store.records.update((writer) => {
        writer.putMemo(memo, signed);
        writer.putLineage('line', { derivation, action });
        writer.putDescription(derivation, description);
        writer.putDescription(action, ['encoded']);
        writer.putDuration('line', 12);
        writer.putRoot({ name: 'b', derivations: [derivation] });
        writer.putRoot({ name: 'a', derivations: [] });
        writer.putCached('key', 'value');
      });
      // Another one that has just read sees what it saw, until its turn of the event loop is over.
      for (const each of [store, other])
        await expect
          .poll(() => read(each))
          .toEqual({
            memo,
            lineage: { derivation, action },
            descriptions: [description, ['encoded']],
            isThere: [true, false],
            duration: 12,
            roots: [
              { name: 'a', derivations: [] },
              { name: 'b', derivations: [derivation] },
            ],
            root: { name: 'b', derivations: [derivation] },
            signed,
            cached: 'value',
          });
      await store.records.update((writer) => {
        writer.removeRoot('b');
        writer.putMemo(memo);
      });
      await expect.poll(() => [...other.records.roots()].map(({ name }) => name)).toEqual(['a']);
      // Found out here by now: what others said of it is nothing to hand on.
      await expect.poll(() => other.records.signed(derivation)).toEqual([]);
    });

    test('are not taken away by who writes or removes his own', async () => {
      const store = await opened();
      const other = await besides(store);
      const before = store.records.deletions();
      await other.records.update((writer) => {
        writer.putMemo(memo);
        writer.putRoot({ name: 'b', derivations: [derivation] });
      });
      await other.records.update((writer) => writer.removeRoot('b'));
      expect(store.records.deletions()).toBe(before);
    });

    test('are realisations as they were put', async () => {
      const store = await opened();
      const realisation = madeRealisation(action, outputs);
      await store.records.update((writer) => {
        writer.putRealisation(realisation);
      });
      expect(store.records.realisation(action)).toEqual(realisation);
    });

    test('are written with the content of a batch, and all of them or none', async () => {
      const store = await opened();
      const failing = store.begin();
      const blob = failing.addBytes(bytes('never'));
      await expect(
        failing.commit((writer) => {
          writer.putMemo(memo);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      await failing.discard();
      expect([store.blobs.has(blob), store.records.memo(derivation)]).toEqual([false, undefined]);
      const batch = store.begin();
      const kept = batch.addBytes(bytes('kept'));
      await batch.commit((writer) => writer.putMemo(memo));
      expect([store.blobs.has(kept), store.records.memo(derivation)]).toEqual([true, memo]);
    });

    test('nobody changes by changing what was read or written', async () => {
      const store = await opened();
      const written = { list: ['a'] };
      await store.records.update((writer) => writer.putCached('key', written));
      written.list.push('b');
      (store.records.cached('key') as { list: string[] }).list.push('c');
      expect(store.records.cached('key')).toEqual({ list: ['a'] });
    });
  });

  describe('has locks that', () => {
    test('one holds at a time, whichever open store asks; the next is told whom it waits for, once', async () => {
      const store = await opened();
      const other = await besides(store);
      const lock = await store.locks.acquire('key');
      const told: string[] = [];
      let isTaken = false;
      const next = other.locks.acquire('key', { onWait: (holder) => told.push(holder) });
      void next.then(() => (isTaken = true));
      expect((await other.locks.tryAcquire('key')).kind).toBe('held');
      const elsewhere = await other.locks.acquire('other key');
      expect([isTaken, told.length, told[0] === '']).toEqual([false, 1, false]);
      await lock.release();
      const taken = await next;
      await lock.release();
      expect((await store.locks.tryAcquire('key')).kind).toBe('held');
      await Promise.all([taken.release(), elsewhere.release()]);
      expect((await store.locks.tryAcquire('key')).kind).toBe('lock');
    });

    test('can be waited for without being taken', async () => {
      const store = await opened();
      const lock = await store.locks.acquire('key');
      const held = await store.locks.tryAcquire('key');
      if (held.kind !== 'held') throw new Error('two have it');
      const freed = held.freed(new AbortController().signal);
      await lock.release();
      await freed;
      expect((await store.locks.tryAcquire('key')).kind).toBe('lock');
    });

    test('nobody has to wait for any longer than he wants', async () => {
      const store = await opened();
      const lock = await store.locks.acquire('key');
      const stop = new AbortController();
      const waiting = store.locks.acquire('key', {
        signal: stop.signal,
        onWait: () => stop.abort(new Error('enough')),
      });
      await expect(waiting).rejects.toThrow('enough');
      await lock.release();
      expect((await store.locks.tryAcquire('key')).kind).toBe('lock');
    });
  });
});
