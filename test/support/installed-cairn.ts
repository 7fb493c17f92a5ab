// cairn as somebody has it who has no clone: packed, installed from that file into an empty home; and what a page shows, typed there.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../store/base/package-root.ts';
import { tempFolder } from './temp-folder.ts';

const execute = promisify(execFile);

export interface Person {
  readonly home: string;
  /** Runs a program of theirs to its end, in a folder of their home. @throws Error when it fails. */
  readonly run: (folder: string, program: string, ...args: readonly string[]) => Promise<string>;
}

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Somebody with an empty home, nothing of this clone in their environment but what `more` says, and cairn installed. */
export async function installedPerson(more: Readonly<Record<string, string>> = {}): Promise<Person> {
  const home = tempFolder('installed');
  const path = `${join(home, '.local/bin')}:${process.env['PATH']}`;
  const env = { PATH: path, HOME: home, TMPDIR: home, ...more };
  const person: Person = {
    home,
    run: async (folder, program, ...args) => {
      const cwd = join(home, folder);
      mkdirSync(cwd, { recursive: true });
      return (await execute(program, args, { cwd, env, maxBuffer: 1e8 })).stdout;
    },
  };
  await install(person);
  return person;
}

// As `npm install -g` would put it there, but for the registry: what its package.json names comes from this clone, and what that
// does not name is not found.
async function install({ home, run }: Person): Promise<void> {
  // Its scripts would build dist/ anew, under the feet of other tests.
  await run('.', 'npm', 'pack', '--ignore-scripts', packageRoot);
  const [packed, ...others] = readdirSync(home).filter((name) => name.endsWith('.tgz'));
  if (packed?.startsWith('cairn-build-') !== true || others.length > 0)
    throw new Error(`npm pack made ${[packed, ...others].join(', ')}`);
  const installed = '.local/lib/node_modules/cairn-build';
  await run(installed, 'tar', '-xzf', join(home, packed), '--strip-components=1');
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

/** A page beside the examples. */
export const pageOf = (name: string): string => readFileSync(join(packageRoot, 'cli/examples', name), 'utf8');

/** Where what takes seconds ends, on the page on one's own project, and what takes minutes begins. */
const longFrom = '## A package of your own';

/** The two parts of that page. */
export function ownProjectPage(): { readonly quick: string; readonly long: string } {
  const page = pageOf('your-own-project.md');
  const at = page.indexOf(longFrom);
  if (at === -1) throw new Error(`the page has no ${longFrom}`);
  return { quick: page.slice(0, at), long: page.slice(at) };
}

/** What a page shows: commands, each after a `$`, with what they print. */
export const transcriptsOf = (page: string): string =>
  [...page.matchAll(/```\n(\$ [^]*?)```/g)].map((block) => block[1]!).join('');

/** What is printed when all commands of transcripts are typed. One shell types them, so that `cd` holds for what follows. */
export async function played({ run }: Person, transcripts: string): Promise<string> {
  const commands = [...transcripts.matchAll(/^\$ (.+)$/gm)].map(([, command]) => command!);
  const script = commands.map(
    (command) => `printf '%s\\n' '$ ${command.replaceAll("'", `'\\''`)}'\n${command}`,
  );
  return run('.', '/bin/sh', '-euc', script.join('\n'));
}

export const withoutTimes = (text: string): string =>
  text
    .replaceAll(/ in (\d+ h )?(\d+ m )?[\d.]+ m?s$/gm, ' in a while')
    .replaceAll(/, (\d+ h )?(\d+ m )?[\d.]+ m?s last time\)$/gm, ', a while last time)');
