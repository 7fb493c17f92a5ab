// cairn as somebody has it who has no clone: packed, installed from that file into an empty home, and a first project made and
// built with it, as its page shows. How many bytes that takes is counted here, too.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
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

const pageOf = (name: string): string => readFileSync(join(packageRoot, 'cli/examples', name), 'utf8');

const transcriptsOf = (page: string): string =>
  [...page.matchAll(/```\n(\$ [^]*?)```/g)].map((block) => block[1]!).join('');

// One shell types all of it, so that `cd` holds for what follows.
async function played({ run }: Person, transcripts: string): Promise<string> {
  const commands = [...transcripts.matchAll(/^\$ (.+)$/gm)].map(([, command]) => command!);
  const script = commands.map(
    (command) => `printf '%s\\n' '$ ${command.replaceAll("'", `'\\''`)}'\n${command}`,
  );
  return run('.', '/bin/sh', '-euc', script.join('\n'));
}

const withoutTimes = (text: string): string => text.replaceAll(/ in (\d+ m )?[\d.]+ m?s$/gm, ' in a while');

it('is installed from its packed file, and does what the pages on one’s own project and on CI show', async () => {
  const person = newPerson();
  const { home, run } = person;
  await install(person);
  const page = pageOf('your-own-project.md');
  for (const text of [page, pageOf('continuous-integration.md')]) {
    const transcripts = transcriptsOf(text);
    expect(withoutTimes(await played(person, transcripts))).toBe(withoutTimes(transcripts));
  }
  expect(page).toContain(
    readFileSync(join(home, 'hello/flake-like.config.ts'), 'utf8').replace(/^.*\n\n/, ''),
  );

  const types = join(packageRoot, 'node_modules/.bin/tsc');
  expect(await run('hello', types, '-p', '.')).toBe('');
  const elsewhere = await run('hello', 'cairn', '--store', join(home, 'empty'), 'build', '--dry-run');
  const [, count, megabytes] = /^to do: 1 command, (\d+) downloads \(([\d.]+) MB\), /m.exec(elsewhere)!;
  expect(Number(count)).toBeLessThanOrEqual(20);
  expect(Number(megabytes)).toBeLessThanOrEqual(60);
});
