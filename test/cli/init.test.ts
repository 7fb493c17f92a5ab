// `cairn init` in empty and in used folders. That what it makes builds from an empty store is tried in installed.test.ts.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject, type Ended } from './cairn.ts';

type Run = (...args: readonly string[]) => Promise<Ended>;

// The command line in an empty folder, with a home and a store of its own.
function inEmptyFolder(): { readonly folder: string; readonly run: Run } {
  const folder = tempFolder('new');
  const project = testProject();
  return { folder, run: (...args) => project.startIn(folder, ...args).ended };
}

const kilobytes = (text: string): number => Buffer.byteLength(text) / 1000;

describe('a new project', () => {
  it('has types that an editor finds, and pins of what it needs alone', async () => {
    const { folder, run } = inEmptyFolder();
    await run('init');
    const types = spawnSync(join(packageRoot, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(types.stdout).toBe('');
    expect(types.status).toBe(0);
    const lock = readFileSync(join(folder, 'flake-like.lock'), 'utf8');
    expect(Object.keys((JSON.parse(lock) as { inputs: object }).inputs)).toEqual(['sandbox', 'shell']);
    expect(kilobytes(lock)).toBeLessThan(30);
  });

  it('is made in a folder that is not there yet, and says what to do next', async () => {
    const { folder, run } = inEmptyFolder();
    const { status, stdout } = await run('init', 'a/b');
    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        'created .gitignore',
        'created flake-like.config.ts',
        'created flake-like.lock',
        'created source',
        'created tsconfig.json',
        'next: cd a/b && cairn build',
        '',
      ].join('\n'),
    );
    expect(existsSync(join(folder, 'a/b/source/build.sh'))).toBe(true);
  });

  it('tells machines what it made', async () => {
    const { folder, run } = inEmptyFolder();
    const { records } = await run('init', '--json');
    expect(records()).toContainEqual(
      expect.objectContaining({ type: 'created', folder, path: 'flake-like.config.ts' }),
    );
  });
});

describe('cairn init', () => {
  it.each(['flake-like.config.ts', 'flake-like.lock', 'source', '.gitignore'])(
    'changes nothing where there is %s already',
    async (name) => {
      const { folder, run } = inEmptyFolder();
      writeFileSync(join(folder, name), 'mine');
      const { status, stderr } = await run('init');
      expect(status).toBe(2);
      expect(stderr).toContain(`error[FILE_EXISTS] ${folder} already has ${name}`);
      expect(readdirSync(folder)).toEqual([name]);
      expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
    },
  );

  it('leaves what else is in the folder alone', async () => {
    const { folder, run } = inEmptyFolder();
    mkdirSync(join(folder, '.git'));
    writeFileSync(join(folder, 'README.md'), 'mine');
    expect((await run('init')).status).toBe(0);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('mine');
  });

  it('says which examples there are when there is none of that name', async () => {
    const { folder, run } = inEmptyFolder();
    const { status, stderr } = await run('init', '--example', 'nothing');
    expect(status).toBe(2);
    expect(stderr).toContain(
      'Allowed choices are c-library, ci, image, kernel, node, package, python, root, start',
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('cairn build without a target', () => {
  const flake = (names: readonly string[]): string =>
    `export default flake({ ${names.map((name) => `${name}: write({ name: '${name}', files: { a: '${name}' } })`).join(', ')} });`;

  it.each([
    ['the output that is called default', ['one', 'default'], 'default@'],
    ['the only output', ['one'], 'one@'],
  ])('builds %s', async (_, names, shown) => {
    const { status, stdout } = await testProject(flake(names)).run('build');
    expect(status).toBe(0);
    expect(stdout).toContain(shown);
  });

  it('asks for one where several could be meant', async () => {
    const { status, stderr } = await testProject(flake(['one', 'two'])).run('build');
    expect(status).toBe(2);
    expect(stderr).toContain('This flake has one, two.');
  });
});
