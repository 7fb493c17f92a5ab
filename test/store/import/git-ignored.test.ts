import { readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Store } from '../../../store/index.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { freshStore } from '../fresh-store.ts';
import { writeFiles } from '../write-files.ts';
import { indexOf, writeRepository } from '../write-repository.ts';

let home: string;

// No person's settings but those of the test.
beforeEach(() => {
  home = tempFolder('home');
  vi.stubEnv('HOME', home);
  vi.stubEnv('GIT_CONFIG_SYSTEM', join(home, 'system'));
  for (const name of ['XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM'])
    vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

async function namesIn(store: Store, folder: string, exclude: readonly string[] = []): Promise<string[]> {
  const { node } = await store.importFolder(folder, { exclude });
  return readdirSync(await store.materialise(node.digest), { recursive: true, encoding: 'utf8' }).sort();
}

test('ignore files of the folders above count, up to the top of the work tree', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(join(folder, 'work'));
  writeFiles(folder, {
    '.gitignore': 'kept',
    'work/.gitignore': 'secret.env\n/apps/app/only-here\n/only-here\n*.o\n',
    'work/.cairnignore': 'docs',
    'work/apps/.gitignore': '!good.o\n',
    'work/apps/app/secret.env': '',
    'work/apps/app/sub/secret.env': '',
    'work/apps/app/only-here': '',
    'work/apps/app/sub/only-here': '',
    'work/apps/app/kept': '',
    'work/apps/app/docs': '',
    'work/apps/app/bad.o': '',
    'work/apps/app/good.o': '',
  });
  expect(await namesIn(store, join(folder, 'work/apps/app'))).toEqual([
    'good.o',
    'kept',
    'sub',
    'sub/only-here',
  ]);
});

test('a change of an ignore file above is obeyed by the next import', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder);
  writeFiles(folder, { '.gitignore': 'a', 'app/a': '', 'app/b': '' });
  expect(await namesIn(store, join(folder, 'app'))).toEqual(['b']);
  writeFiles(folder, { '.gitignore': 'b' });
  expect(await namesIn(store, join(folder, 'app'))).toEqual(['a']);
  writeFiles(folder, { '.git/info/exclude': 'a' });
  expect(await namesIn(store, join(folder, 'app'))).toEqual([]);
});

test('outside a work tree, only the ignore files of the folder itself count', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  // Git does not take this for a repository either.
  writeFiles(folder, {
    '.gitignore': 'a',
    '.git/config': '',
    'app/.gitignore': 'b',
    'app/a': '',
    'app/b': '',
  });
  writeFiles(home, { '.config/git/ignore': 'a' });
  expect(await namesIn(store, join(folder, 'app'))).toEqual(['.gitignore', 'a']);
});

test('of a folder that is ignored itself, all is there that its own ignore files do not leave out', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder, { tracked: ['out/app/tracked'] });
  writeFiles(folder, {
    '.gitignore': '*\n',
    'out/app/.gitignore': 'a',
    'out/app/a': '',
    'out/app/b': '',
    'out/app/tracked': '',
  });
  expect(await namesIn(store, join(folder, 'out/app'))).toEqual(['.gitignore', 'b', 'tracked']);
});

test("a repository's own exclude file counts, for its further work trees and submodules too", async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(join(folder, 'main'), { exclude: 'a\n' });
  writeFiles(folder, {
    'main/.git/worktrees/other/HEAD': 'ref: refs/heads/other\n',
    'main/.git/worktrees/other/commondir': '../..\n',
    'main/a': '',
    'main/b': '',
    'other/.git': `gitdir: ${folder}/main/.git/worktrees/other\n`,
    'other/sub/a': '',
    'other/sub/b': '',
    'main/module/.git': 'gitdir: ../.git/modules/module\n',
    'main/module/a': '',
    'main/module/b': '',
  });
  writeRepository(join(folder, 'main/module'), {
    at: join(folder, 'main/.git/modules/module'),
    exclude: 'b',
  });
  expect(await namesIn(store, join(folder, 'main'))).toEqual(['b', 'module', 'module/a']);
  expect(await namesIn(store, join(folder, 'other'))).toEqual(['sub', 'sub/b']);
  expect(await namesIn(store, join(folder, 'other/sub'))).toEqual(['b']);
});

test('a repository within answers for what is in it; what git has no say in reaches into it', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder, { exclude: 'a' });
  writeRepository(join(folder, 'inner'), { exclude: 'b' });
  writeFiles(folder, {
    '.gitignore': 'c',
    '.cairnignore': 'd',
    'inner/.gitignore': 'e',
    ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [`inner/sub/${name}`, ''])),
  });
  expect(await namesIn(store, join(folder, 'inner'), ['g'])).toEqual([
    '.gitignore',
    'sub',
    'sub/a',
    'sub/c',
    'sub/d',
    'sub/f',
  ]);
  expect(await namesIn(store, folder, ['g'])).toEqual([
    '.cairnignore',
    '.gitignore',
    'inner',
    'inner/.gitignore',
    'inner/sub',
    'inner/sub/a',
    'inner/sub/c',
    'inner/sub/f',
  ]);
});

test('what changes in a repository within is seen, though nothing in its folder tells', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { 'inner/a': '', 'inner/b': '', 'inner/.gitignore': '*\n', 'other/x': '' });
  writeRepository(join(folder, 'inner'), { tracked: ['a'] });
  const names = (): Promise<string[]> => namesIn(store, folder);
  expect(await names()).toEqual(['inner', 'inner/a', 'other', 'other/x']);
  // Into the same file, so that no directory's time tells.
  writeFileSync(join(folder, 'inner/.git/index'), indexOf(['b']));
  expect(await names()).toEqual(['inner', 'inner/b', 'other', 'other/x']);
  writeFileSync(join(folder, 'inner/.gitignore'), '');
  writeFileSync(join(folder, 'inner/.git/info/exclude'), 'a');
  expect(await names()).toEqual(['inner', 'inner/.gitignore', 'inner/b', 'other', 'other/x']);
});

test.each<[what: string, files: Record<string, string>, env?: Record<string, string>]>([
  ['where git looks by itself', { '.config/git/ignore': 'a' }],
  ['where XDG_CONFIG_HOME says', { 'xdg/git/ignore': 'a' }, { XDG_CONFIG_HOME: 'xdg' }],
  ['named in ~/.gitconfig', { '.gitconfig': '[core]\nexcludesFile = ~/mine', mine: 'a' }],
  ['named in ~/.config/git/config', { '.config/git/config': '[core]\nexcludesfile = ~/mine', mine: 'a' }],
  ["named in the machine's configuration", { system: '[core]\nexcludesfile = ~/mine', mine: 'a' }],
  [
    'named where GIT_CONFIG_GLOBAL says, and nowhere else',
    { cfg: '[core]\nexcludesfile = ~/mine', mine: 'a', '.gitconfig': '[core]\nexcludesfile = ~/no', no: 'b' },
    { GIT_CONFIG_GLOBAL: 'cfg' },
  ],
  [
    'named last',
    {
      '.config/git/config': '[core]\nexcludesfile = ~/no',
      '.gitconfig': '[core]\nexcludesfile = ~/no\nexcludesfile = ~/mine',
      mine: 'a',
      no: 'b',
    },
  ],
  [
    'named in a file that is included',
    {
      '.gitconfig': '[include]\npath = sub/more\npath = absent',
      'sub/more': '[include]\npath = most',
      'sub/most': '[core]\nexcludesfile = ~/mine',
      mine: 'a',
    },
  ],
  [
    'named in a file that is included for repositories in a folder',
    {
      '.gitconfig':
        '[includeIf "gitdir:~/work/"]\npath = one\n[includeIf "gitdir:~/play/"]\npath = two\n[includeIf "gitdir:~/work"]\npath = two',
      one: '[core]\nexcludesfile = ~/mine',
      two: '[core]\nexcludesfile = ~/no',
      mine: 'a',
      no: 'b',
    },
  ],
  [
    'named in a file that is included whatever case the folder is written in, or for a branch',
    {
      '.gitconfig':
        '[includeIf "gitdir/i:WORK/TREE/.git"]\npath = one\n[includeIf "onbranch:topic/"]\npath = two\n[includeIf "onbranch:main"]\npath = three',
      one: '[core]\nexcludesfile = ~/no',
      two: '[core]\nexcludesfile = ~/mine',
      three: '[core]\nexcludesfile = ~/no',
      mine: 'a',
      no: 'b',
    },
  ],
])("the person's own file counts: %s", async (_what, files, env = {}) => {
  const store = await freshStore();
  const folder = join(home, 'work/tree');
  writeRepository(folder, { branch: 'topic/x' });
  writeFiles(folder, { a: '', b: '' });
  writeFiles(home, files);
  for (const [name, path] of Object.entries(env)) vi.stubEnv(name, join(home, path));
  expect(await namesIn(store, folder)).toEqual(['b']);
});

test("a repository's configuration outranks the person's, that of one work tree both", async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(home, { '.gitconfig': '[core]\nexcludesfile = ~/mine', mine: 'a', none: '' });
  writeFiles(folder, { a: '', B: '', c: '', 'list/one': 'c', 'list/two': 'b' });
  writeRepository(folder, { config: '[core]\nexcludesfile = list/one\n' });
  expect(await namesIn(store, folder)).toEqual(['B', 'a', 'list', 'list/one', 'list/two']);
  writeRepository(folder, {
    config: '[core]\nexcludesfile = list/one\nignoreCase\n[extensions]\nworktreeConfig = true',
  });
  writeFiles(folder, { '.git/config.worktree': '[core]\nexcludesfile = list/two' });
  expect(await namesIn(store, folder)).toEqual(['a', 'c', 'list', 'list/one', 'list/two']);
  writeRepository(folder, { config: '[core]\nexcludesfile =\n' });
  expect(await namesIn(store, folder)).toEqual(['B', 'a', 'c', 'list', 'list/one', 'list/two']);
});

test('a folder outranks the exclude file, and that the own file of the person', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(home, { '.config/git/ignore': 'a\nb\nc\n' });
  writeRepository(folder, { exclude: '!b\n!c' });
  writeFiles(folder, { 'app/.gitignore': 'c\n', 'app/a': '', 'app/b': '', 'app/c': '' });
  expect(await namesIn(store, join(folder, 'app'))).toEqual(['.gitignore', 'b']);
});

test('what git tracks is not ignored, also in a directory that is', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder, { tracked: ['a.o', 'build/deep/kept', 'build/x.o'] });
  writeFiles(folder, {
    '.gitignore': 'build/\n*.o\n',
    'a.o': '',
    'b.o': '',
    'build/.gitignore': '!extra\n',
    'build/extra': '',
    'build/x.o': '',
    'build/deep/kept': '',
    'build/deep/other': '',
    'build/none/other': '',
  });
  const all = ['.gitignore', 'a.o', 'build', 'build/deep', 'build/deep/kept', 'build/x.o'];
  expect(await namesIn(store, folder)).toEqual(all);
  expect(await namesIn(store, join(folder, 'build'))).toContain('extra');
  expect(await namesIn(store, folder, ['kept'])).not.toContain('build/deep/kept');
  writeFileSync(join(folder, '.cairnignore'), 'x.o\n');
  expect(await namesIn(store, folder)).toEqual(['.cairnignore', ...all.slice(0, -1)]);
});

test('a change of a tracked file in an ignored directory is seen, and what comes there is still ignored', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder, { tracked: ['build/sub/kept'] });
  writeFiles(folder, { '.gitignore': 'build\n', 'build/sub/kept': 'one', 'build/other': '' });
  await namesIn(store, folder);
  writeFiles(folder, { 'build/sub/kept': 'two!', 'build/sub/new': '' });
  const { node } = await store.importFolder(folder);
  const made = await store.materialise(node.digest);
  expect(readdirSync(join(made, 'build/sub'))).toEqual(['kept']);
  expect(readFileSync(join(made, 'build/sub/kept'), 'utf8')).toBe('two!');
});

test('an ignore file that is a symlink is not read, as git does not', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { rules: 'a', a: '', 'sub/a': '', 'sub/.gitignore/x': '' });
  symlinkSync('rules', join(folder, '.gitignore'));
  const all = ['.gitignore', 'a', 'rules', 'sub', 'sub/.gitignore', 'sub/.gitignore/x', 'sub/a'];
  expect(await namesIn(store, folder)).toEqual(all);
  writeFiles(folder, { 'sub/b': '' });
  expect(await namesIn(store, folder)).toEqual([...all, 'sub/b']);
});

test('what nobody can tell from the repository is an error that says how to mend it', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeRepository(folder, { config: '[core\n' });
  const refused = (message: RegExp): Promise<void> =>
    expect(store.importFolder(folder)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
    });
  await refused(/\.git\/config:1 is not a line that git reads/);
  writeRepository(folder, { config: '[core]\nexcludesfile = ~somebody/ignore\n' });
  await refused(/~somebody\/ignore/);
  writeRepository(folder, { config: '[include]\npath = config\n' });
  await refused(/includes itself: .*\.git\/config/);
  writeRepository(folder, { tracked: ['a'] });
  writeFileSync(join(folder, '.git/index'), indexOf(['a']).subarray(0, 60));
  await refused(/\.git\/index is damaged/);
});

test('links to results are no part of the folder they are in, nor is a folder of nothing else', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { a: 'a', 'mine/b': 'b', 'mine/link': { symlink: '../a' } });
  const before = await store.importFolder(folder);
  const result = await store.handOut(before.node);
  writeFiles(folder, {
    result: { symlink: result },
    'mine/file': { symlink: join(result, 'a') },
    'results/one': { symlink: result },
    'results/two': { symlink: result },
  });
  expect((await store.importFolder(folder)).node).toEqual(before.node);
  writeFiles(folder, { 'results/README': '' });
  expect(await namesIn(store, folder)).toEqual([
    'a',
    'mine',
    'mine/b',
    'mine/link',
    'results',
    'results/README',
  ]);
});

test('a repository that is known by its stamp is asked again when its index, config or exclude file is another', async () => {
  const store = await freshStore();
  const folder = tempFolder('source');
  writeFiles(folder, { 'a.o': 'a', 'b.o': 'b', text: 'text', '.gitignore': '*.o\n' });
  const tracking = (tracked: readonly string[]): void => {
    writeRepository(folder, { tracked });
    // Long ago, but for what nobody can set: then the stamp counts.
    utimesSync(join(folder, '.git/index'), 1_000_000_000, 1_000_000_000);
  };
  const settled = async (): Promise<string[]> => {
    await setTimeout(2100);
    await store.importFolder(folder);
    const { seen } = await store.importFolder(folder);
    // What was looked at for good is not looked at again.
    expect((await store.importFolder(folder)).seen).toBe(seen);
    return namesIn(store, folder);
  };
  tracking(['a.o']);
  expect(await settled()).toEqual(['.gitignore', 'a.o', 'text']);
  tracking(['b.o']);
  expect(await namesIn(store, folder)).toEqual(['.gitignore', 'b.o', 'text']);
  expect(await settled()).toEqual(['.gitignore', 'b.o', 'text']);
  writeFileSync(join(folder, '.git/info/exclude'), 'text\n');
  expect(await namesIn(store, folder)).toEqual(['.gitignore', 'b.o']);
  expect(await settled()).toEqual(['.gitignore', 'b.o']);
  rmSync(join(folder, '.git/index'));
  expect(await namesIn(store, folder)).toEqual(['.gitignore']);
});
