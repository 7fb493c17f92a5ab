// What a watcher tells of real folders: saves as editors make them, folders that go and come, what git ignores, branch
// switches. Each test ends by a plain save that must be told: so it fails when the watcher has lost a folder.

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { indexOf, writeRepository } from '../../store/write-repository.ts';
import { anything, watching, type Watching } from './watching.ts';

interface Rig extends Watching {
  /** The folder that is watched. */
  readonly folder: string;
  /** Saves a file, and waits until that is told. */
  readonly saved: (path: string) => Promise<void>;
}

/** Watches a folder with these files, and a file beside it. */
async function rig(files: readonly string[], prepare?: (folder: string) => void): Promise<Rig> {
  const base = tempFolder('watch');
  const folder = join(base, 'source');
  for (const file of files) write(join(folder, file));
  prepare?.(folder);
  const watched = await watching({
    files: [join(base, 'config.ts')],
    folders: [{ path: folder, exclude: [] }],
  });
  return {
    ...watched,
    folder,
    saved: async (path) => {
      await watched.settle();
      write(join(folder, path), `${Math.random()}`);
      await watched.told(join(folder, path));
    },
  };
}

function write(path: string, text = 'text'): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

describe('saves', () => {
  const file = 'deep/main.c';
  const saves: readonly [string, (path: string) => void][] = [
    ['in place', (path) => appendFileSync(path, 'more')],
    [
      'by vim: the old file becomes a backup, a new one is written, the backup goes',
      (path) => {
        write(join(path, '../4913'));
        unlinkSync(join(path, '../4913'));
        renameSync(path, `${path}~`);
        writeFileSync(path, 'new');
        unlinkSync(`${path}~`);
      },
    ],
    [
      'by emacs: a lock, a backup by renaming, a new file',
      (path) => {
        symlinkSync('me@machine.1:2', join(path, '../.#main.c'));
        renameSync(path, `${path}~`);
        writeFileSync(path, 'new');
        unlinkSync(join(path, '../.#main.c'));
      },
    ],
    [
      'by VS Code and others: a temporary file that is renamed over it',
      (path) => {
        writeFileSync(`${path}.tmp.123`, 'new');
        renameSync(`${path}.tmp.123`, path);
      },
    ],
  ];
  test.each(saves)('%s', async (_, save) => {
    const { folder, told, saved } = await rig([file]);
    save(join(folder, file));
    await told(join(folder, file));
    await saved(file);
  });

  test('of a single file, there or not, and replaced', async () => {
    const { folder, told } = await rig(['a']);
    const config = join(folder, '../config.ts');
    writeFileSync(config, '1');
    await told(config);
    writeFileSync(`${config}.new`, '2');
    renameSync(`${config}.new`, config);
    await told(config);
    unlinkSync(config);
    await told(config);
    writeFileSync(config, '3');
    await told(config);
  });

  test('what an editor keeps beside a file is no reason to build', async () => {
    const { folder, take, saved } = await rig([file]);
    for (const name of ['.main.c.swp', 'main.c~', '#main.c#', '4913']) write(join(folder, 'deep', name));
    await saved(file);
    expect([...take()]).toEqual([]);
  });
});

describe('folders', () => {
  test('that are made are watched with what is made in them at once', async () => {
    const { folder, told, saved } = await rig(['a']);
    write(join(folder, 'new/deep/deeper/file'));
    await told((path) => path.startsWith(join(folder, 'new')));
    await saved('new/deep/deeper/file');
    await saved('new/other');
  });

  test('that are deleted and made again', async () => {
    const { folder, told, saved } = await rig(['one/two/file', 'a']);
    rmSync(join(folder, 'one'), { recursive: true });
    await told((path) => path.startsWith(join(folder, 'one')));
    write(join(folder, 'one/two/file'));
    await told((path) => path.startsWith(join(folder, 'one')));
    await saved('one/two/file');
  });

  test('that are replaced in one go', async () => {
    const { folder, told, saved } = await rig(['one/two/file', 'a']);
    cpSync(join(folder, 'one'), join(folder, '../copy'), { recursive: true });
    renameSync(join(folder, 'one'), join(folder, '../old'));
    renameSync(join(folder, '../copy'), join(folder, 'one'));
    await told((path) => path.startsWith(join(folder, 'one')));
    await saved('one/two/file');
    await saved('one/file');
  });

  test('that are renamed', async () => {
    const { folder, told, saved } = await rig(['one/two/file', 'a']);
    renameSync(join(folder, 'one'), join(folder, 'other'));
    await told((path) => path.startsWith(join(folder, 'o')));
    await saved('other/two/file');
  });

  test('the watched one itself, deleted and made again, with those above it', async () => {
    const { folder, told, saved, settle } = await rig(['one/file']);
    rmSync(folder, { recursive: true });
    await told((path) => path.startsWith(folder));
    await settle();
    write(join(folder, 'one/file'));
    await told((path) => path.startsWith(folder));
    await saved('one/file');
    rmSync(join(folder, '..'), { recursive: true });
    await told((path) => path.startsWith(folder));
    await settle();
    write(join(folder, 'one/file'));
    await told((path) => path.startsWith(folder));
    await saved('one/file');
  });

  test('behind a link that leads elsewhere by now', async () => {
    const base = tempFolder('watch');
    write(join(base, 'a/file'));
    write(join(base, 'b/file'));
    symlinkSync('a', join(base, 'link'));
    const watched = await watching({ files: [], folders: [{ path: join(base, 'link'), exclude: [] }] });
    write(join(base, 'a/file'), 'new');
    await watched.told(join(base, 'a/file'));
    symlinkSync('b', join(base, 'fresh'));
    renameSync(join(base, 'fresh'), join(base, 'link'));
    await watched.told(join(base, 'link'));
    await watched.settle();
    write(join(base, 'b/file'), 'new');
    await watched.told(join(base, 'b/file'));
  });
});

describe('what git ignores', () => {
  test('is not watched, nor is .git; what becomes of it is, when the rules change', async () => {
    const { folder, take, told, saved, watcher } = await rig(['src/a.c', 'out/deep/x', 'src/a.o'], (at) => {
      writeRepository(at);
      write(join(at, '.gitignore'), '*.o\n/out\n');
    });
    expect(watcher.folders).toBe(2);
    write(join(folder, 'src/a.o'), 'other');
    write(join(folder, 'out/deep/x'), 'other');
    write(join(folder, '.git/objects/x'), 'other');
    await saved('src/a.c');
    expect([...take()]).toEqual([]);
    write(join(folder, '.gitignore'), '*.o\n');
    await told((path) => path.startsWith(folder));
    await saved('out/deep/x');
    expect(watcher.folders).toBe(4);
  });

  test('and what it tracks all the same', async () => {
    const { folder, take, told, saved } = await rig(['src/a.o', 'b'], (at) => {
      writeRepository(at, { tracked: [] });
      write(join(at, '.gitignore'), '*.o\n');
    });
    // Written anew, it says the same.
    renameInto(join(folder, '.git/index'), indexOf([]));
    await saved('b');
    expect([...take()]).toEqual([]);
    renameInto(join(folder, '.git/index'), indexOf(['src/a.o']));
    await told((path) => path.startsWith(folder));
    await saved('src/a.o');
  });
});

function renameInto(path: string, bytes: Buffer): void {
  writeFileSync(`${path}.lock`, bytes);
  renameSync(`${path}.lock`, path);
}

describe('a branch switch', () => {
  const files = 10_000;

  /** Ten thousand files, all different on the other branch, in folders of which some are there on one branch only. */
  function writeBranch(folder: string, branch: string): void {
    for (let at = 0; at < files; at++) {
      const only = at % 100 === 0 ? `only-${branch}` : 'both';
      write(join(folder, `part-${at % 100}`, only, `${at}.c`), `${branch} ${at}\n`);
    }
  }

  const settings = ['user.name=t', 'user.email=t@t', 'core.fsync=none', 'gc.auto=0'].flatMap((one) => [
    '-c',
    one,
  ]);

  test.skipIf(!hasGit())(`of git that touches ${files} files leaves every folder watched`, async () => {
    const git = (folder: string, ...words: string[]): void =>
      void execFileSync('git', [...settings, '-C', folder, ...words], {
        stdio: 'pipe',
        env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', HOME: folder },
      });
    const { folder, told, saved, settle, watcher } = await rig(['README'], (at) => {
      git(at, 'init', '-q', '-b', 'one');
      writeBranch(at, 'one');
      git(at, 'add', '.');
      git(at, 'commit', '-qm', 'one');
      git(at, 'checkout', '-qb', 'two');
      for (const name of readdirSync(at).filter((name) => name.startsWith('part-')))
        rmSync(join(at, name), { recursive: true });
      writeBranch(at, 'two');
      git(at, 'add', '.');
      git(at, 'commit', '-qm', 'two');
    });
    git(folder, 'checkout', '-q', 'one');
    await told((path) => path === anything || path.startsWith(folder));
    await settle();
    const folders = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !`${entry.parentPath}/${entry.name}/`.includes('/.git/'),
    );
    expect(watcher.folders).toBe(folders.length + 1);
    await saved('part-0/only-one/0.c');
    await saved('part-99/both/99.c');
  });
});

function hasGit(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'git')));
}

test('a storm leaves no descriptors and no watches behind', async () => {
  const { folder, settle, saved, watcher } = await rig(['a/file', 'b']);
  const storm = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      for (let at = 0; at < 50; at++) write(join(folder, `round-${round}`, `d${at}`, 'file'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      rmSync(join(folder, `round-${round}`), { recursive: true });
      writeFileSync(join(folder, 'a/file'), `${round}`);
    }
    await settle();
  };
  await storm(5);
  const [descriptors, folders] = [readdirSync('/proc/self/fd').length, watcher.folders];
  await storm(50);
  expect(watcher.folders).toBe(folders);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(descriptors);
  expect(watchesOfThisProcess()).toBeLessThanOrEqual(watcher.folders + 10);
  await saved('a/file');
});

/** How many inotify watches it has: lines of the descriptors that have any (proc(5)). */
function watchesOfThisProcess(): number {
  return readdirSync('/proc/self/fdinfo').reduce((sum, name) => sum + inotifyLines(name), 0);
}

function inotifyLines(name: string): number {
  try {
    const text = execFileSync('grep', ['-c', '^inotify', `/proc/${process.pid}/fdinfo/${name}`], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return Number(text);
  } catch {
    return 0;
  }
}
