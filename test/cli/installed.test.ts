// cairn as somebody has it who has no clone: packed, installed from that file into an empty home, and a first project made and
// built with it. How many bytes that takes is counted here, too.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { parseRecords } from '../support/json-records.ts';
import { tempFolder } from '../support/temp-folder.ts';

const execute = promisify(execFile);

interface Person {
  readonly home: string;
  /** Runs a program of theirs to its end, in a folder of their home. @throws Error when it fails. */
  readonly run: (folder: string, program: string, ...args: readonly string[]) => Promise<string>;
}

// Somebody with an empty home, and nothing of this clone in their environment.
function newPerson(): Person {
  const home = tempFolder('installed');
  const env = { PATH: `${join(home, '.local/bin')}:${process.env['PATH']}`, HOME: home, TMPDIR: home };
  return {
    home,
    run: async (folder, program, ...args) => {
      const cwd = join(home, folder);
      mkdirSync(cwd, { recursive: true });
      return (await execute(program, args, { cwd, env, maxBuffer: 1e8 })).stdout;
    },
  };
}

// As `npm install -g` would put it there, but for the registry: what its package.json names comes from this clone, and what that
// does not name is not found.
async function install({ home, run }: Person): Promise<void> {
  // Its scripts would build dist/ anew, under the feet of other tests.
  await run('.', 'npm', 'pack', '--ignore-scripts', packageRoot);
  const packed = readdirSync(home).filter((name) => name.endsWith('.tgz'));
  expect(packed).toEqual([expect.stringMatching(/^cairn-build-/)]);
  const installed = '.local/lib/node_modules/cairn-build';
  await run(installed, 'tar', '-xzf', join(home, packed[0]!), '--strip-components=1');
  const { bin, dependencies } = JSON.parse(
    readFileSync(join(home, installed, 'package.json'), 'utf8'),
  ) as Manifest;
  for (const name of Object.keys(dependencies)) {
    const link = join(home, installed, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(packageRoot, 'node_modules', name), link);
  }
  mkdirSync(join(home, '.local/bin'));
  for (const [name, file] of Object.entries(bin))
    symlinkSync(join(home, installed, file), join(home, '.local/bin', name));
}

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

it('is installed from its packed file, and builds a first project from few downloads', async () => {
  const person = newPerson();
  const { home, run } = person;
  await install(person);

  expect(await run('.', 'cairn', 'init', 'hello')).toContain('next: cd hello && cairn build');
  const types = join(packageRoot, 'node_modules/.bin/tsc');
  expect(await run('hello', types, '-p', '.')).toBe('');
  const foreseen = await run('hello', 'cairn', 'build', '--dry-run');
  expect(foreseen).toMatch(/to do: 1 command, \d+ downloads \([\d.]+ MB\), /);

  const records = parseRecords(await run('hello', 'cairn', 'build', '--json'));
  const fetched = records.filter(({ type, kind }) => type === 'step-finished' && kind === 'fetch');
  const sizes = fetched.map(({ outputs }) => Number((outputs as { out: string }).out.split('/')[1]));
  expect(sizes.length).toBeLessThanOrEqual(20);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60e6);
  expect(await run('hello', 'cairn', 'cat', 'default/bin/hello')).toContain('echo "Hello from a step');

  writeFileSync(join(home, 'hello/source/greeting.txt'), 'Another greeting.\n');
  expect(await run('hello', 'cairn', 'why', 'default')).toContain('greeting.txt');
  await run('hello', 'cairn', 'build', '-o', 'result');
  expect(readFileSync(join(home, 'hello/result/bin/hello'), 'utf8')).toContain('Another greeting.');
  expect(await run('hello', 'cairn', 'build')).toContain('up to date');
});
