import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openStore, type ImportResult, type Store } from '../../../store/index.ts';
import { randomFrom } from '../../support/random.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeFiles } from '../write-files.ts';
import { indexOf, writeRepository } from '../write-repository.ts';

let store: Store;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-store-'));
  store = await openStore(join(folder, 'store'));
  return async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  };
});

/** Imports a folder as if nobody had done so before: other patterns make it another import. */
function lookAgain(folder: string): Promise<ImportResult> {
  return store.importFolder(folder, { exclude: [`nothing-${looks++}`] });
}
let looks = 0;

interface Watched {
  readonly folder: string;
  /** Imports as one who was told of these paths, relative to the folder. */
  readonly told: (...paths: readonly string[]) => Promise<ImportResult>;
  /** What an import that looks at everything finds. */
  readonly looked: () => Promise<ImportResult>;
}

const files = { 'a/one': '1', 'a/deep/two': '2', 'b/three': '3', top: '4', 'b/l': { symlink: 'three' } };

async function watched(content: Parameters<typeof writeFiles>[1] = files): Promise<Watched> {
  const folder = tempFolder('source');
  writeFiles(folder, content);
  let { seen } = await store.importFolder(folder);
  return {
    folder,
    async told(...paths) {
      const changes = { since: seen, paths: paths.map((path) => join(folder, path)) };
      const result = await store.importFolder(folder, { changes });
      ({ seen } = result);
      return result;
    },
    looked: () => lookAgain(folder),
  };
}

test('when it is told what may have changed, an import looks at nothing else', async () => {
  const { folder, told, looked } = await watched();
  expect((await told()).filesRead).toBe(0);
  writeFileSync(join(folder, 'a/deep/two'), 'changed');
  writeFileSync(join(folder, 'b/three'), 'not told');
  const first = await told('a/deep/two');
  expect(first.filesRead).toBe(1);
  const second = await told('b/three');
  expect(second.filesRead).toBe(1);
  expect(first.node).not.toEqual(second.node);
  expect(second.node).toEqual((await looked()).node);
});

test('what was passed over because nobody told of it is seen by the next import that looks at everything', async () => {
  const { folder, told, looked } = await watched();
  writeFileSync(join(folder, 'top'), 'not told');
  await told('a/one');
  expect((await store.importFolder(folder)).node).toEqual((await looked()).node);
});

const changes: readonly {
  readonly title: string;
  readonly change: (folder: string) => void;
  readonly paths: readonly string[];
}[] = [
  { title: 'a new file', change: (at) => writeFileSync(join(at, 'a/new'), 'new'), paths: ['a/new'] },
  { title: 'a file that has gone', change: (at) => unlinkSync(join(at, 'a/one')), paths: ['a/one'] },
  {
    title: 'a new folder with folders in it, of which only its deepest file is told',
    change: (at) => writeFiles(at, { 'b/x/y/z': 'z', 'b/x/other': 'o' }),
    paths: ['b/x/y/z'],
  },
  {
    title: 'a folder that has gone',
    change: (at) => rmSync(join(at, 'a'), { recursive: true }),
    paths: ['a'],
  },
  {
    title: 'a folder that has gone, of which only what was in it is told',
    change: (at) => rmSync(join(at, 'a/deep'), { recursive: true }),
    paths: ['a/deep/two', 'a/deep'],
  },
  {
    title: 'another folder in the place of one',
    change: (at) => {
      writeFiles(at, { 'new/one': 'other', 'new/deep/two': 'other' });
      rmSync(join(at, 'a'), { recursive: true });
      renameSync(join(at, 'new'), join(at, 'a'));
    },
    paths: ['a', 'new'],
  },
  {
    title: 'a file in the place of a folder, and the other way round',
    change: (at) => {
      rmSync(join(at, 'a'), { recursive: true });
      writeFileSync(join(at, 'a'), 'a file');
      unlinkSync(join(at, 'top'));
      mkdirSync(join(at, 'top'));
      writeFileSync(join(at, 'top/in'), 'in');
    },
    paths: ['a', 'top'],
  },
  {
    title: 'a link that leads elsewhere',
    change: (at) => {
      unlinkSync(join(at, 'b/l'));
      symlinkSync('elsewhere', join(at, 'b/l'));
    },
    paths: ['b/l'],
  },
  {
    title: 'an ignore file, which makes other names count',
    change: (at) => writeFiles(at, { '.gitignore': 'two\n' }),
    paths: ['.gitignore'],
  },
  { title: 'the folder itself', change: (at) => writeFiles(at, { 'b/three': 'x', top: 'y' }), paths: ['.'] },
  { title: 'a folder above it', change: (at) => writeFiles(at, { 'b/three': 'x', top: 'y' }), paths: ['..'] },
];

test.each(changes)('told of $title, it finds what looking finds', async ({ change, paths }) => {
  const { folder, told, looked } = await watched();
  change(folder);
  expect((await told(...paths)).node).toEqual((await looked()).node);
});

test('paths elsewhere change nothing', async () => {
  const { told, looked } = await watched();
  expect((await told('../elsewhere', '../source-2/x')).filesRead).toBe(0);
  expect((await told()).node).toEqual((await looked()).node);
});

test('a folder that is named by a link is told of by either name', async () => {
  const folder = tempFolder('source');
  writeFiles(folder, { 'real/a': 'a', 'real/b': 'b' });
  symlinkSync('real', join(folder, 'link'));
  const link = join(folder, 'link');
  const { seen } = await store.importFolder(link);
  writeFiles(folder, { 'real/a': 'A', 'real/b': 'B' });
  const paths = [join(link, 'a'), join(folder, 'real/b')];
  const { node } = await store.importFolder(link, { changes: { since: seen, paths } });
  expect(node).toEqual((await lookAgain(link)).node);
});

test('when somebody else imported the folder meanwhile, everything is looked at', async () => {
  const { folder, told, looked } = await watched();
  writeFileSync(join(folder, 'top'), 'first');
  await store.importFolder(folder);
  writeFileSync(join(folder, 'top'), 'second');
  expect((await told()).node).toEqual((await looked()).node);
});

test('what git tracks from now on is seen although nobody tells of it', async () => {
  const folder = tempFolder('source');
  writeFiles(folder, { '.gitignore': '*.o\n', 'sub/a.o': 'object', 'sub/a.c': 'text' });
  writeRepository(folder, { tracked: ['sub/a.c'] });
  const { seen, node } = await store.importFolder(folder);
  expect(store.trees.lookup(node, 'sub/a.o')).toBeUndefined();
  writeFileSync(join(folder, '.git/index'), indexOf(['sub/a.c', 'sub/a.o']));
  const after = await store.importFolder(folder, { changes: { since: seen, paths: [] } });
  expect(store.trees.lookup(after.node, 'sub/a.o')).toBeDefined();
});

test('after many random changes, each told, it has found what looking finds', async () => {
  const random = randomFrom(7);
  const name = (): string => ['a', 'b', 'c', 'd'][random(4)]!;
  const { folder, told, looked } = await watched();
  for (let round = 0; round < 40; round++) {
    const paths: string[] = [];
    for (let change = random(4); change >= 0; change--) {
      const path = Array.from({ length: 1 + random(3) }, name).join('/');
      paths.push(path);
      const parts = path.split('/');
      for (const at of parts.keys()) {
        const place = join(folder, ...parts.slice(0, at + 1));
        const isAbove = at < parts.length - 1;
        if (!isAbove || lstatSync(place, { throwIfNoEntry: false })?.isDirectory() === false)
          rmSync(place, { recursive: true, force: true });
      }
      if (random(3) > 0) writeFiles(folder, { [path]: `${random(1000)}` });
    }
    expect((await told(...paths)).node).toEqual((await looked()).node);
  }
});
