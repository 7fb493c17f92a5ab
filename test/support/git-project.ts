// A project whose program is built from an input, and a git repository of twelve commits of that program.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { busyboxFlake, cairnProject, type CairnProject } from './cairn-project.ts';
import { tempFolder } from './temp-folder.ts';

export interface GitProject extends CairnProject {
  /** The repository, with a work tree that somebody is at work in. */
  readonly source: string;
  /** By number, from 1 on; the first is at 0 as well. */
  readonly commits: readonly string[];
  readonly git: (...args: readonly string[]) => string;
}

/** From this commit on the program answers wrongly. */
export const firstWrong = 7;
const last = 12;

/** One commit may be such that the program cannot be built. The program is `program`; `cairn.sh` in its folder is the cairn of these tests, for a shell. */
export function gitProject(unbuildable?: number): GitProject {
  const files = busyboxFlake(
    `{ program: command('program', 'sh /program/build.sh', { '/program': unpackPin(pins.program[0]!) }) }`,
  );
  const flake = files['flake-like.config.ts']!.replace(
    'inputs: {',
    "inputs: { program: { kind: 'url', urls: ['https://program.invalid/program.tar'] },",
  );
  const project = cairnProject({ ...files, 'flake-like.config.ts': flake });
  const script = join(project.folder, 'cairn.sh');
  writeFileSync(
    script,
    `#!/bin/sh\nexec '${process.execPath}' '${join(packageRoot, 'dist/cli/main.js')}' "$@"\n`,
  );
  chmodSync(script, 0o755);
  const source = join(tempFolder('source'), 'program');
  mkdirSync(source);
  const git = (...args: readonly string[]): string => gitIn(source, args);
  git('init', '--quiet', '--initial-branch', 'main');
  const commits = Array.from({ length: last }, (_, at) => commit(at + 1));
  return { ...project, source, commits: [commits[0]!, ...commits], git };

  function commit(number: number): string {
    const answer = number >= firstWrong ? 41 : 42;
    const build = `${number === unbuildable ? 'exit 3\n' : ''}echo ${answer} > $out/answer; echo ${number} > $out/number\n`;
    writeFileSync(join(source, 'build.sh'), build);
    writeFileSync(join(source, '.gitignore'), '*.o\n');
    git('add', '--all');
    git('commit', '--quiet', '--message', `change ${number}`);
    return git('rev-parse', 'HEAD');
  }
}

/** Makes a folder a repository with one commit of all that is in it; gives the commit. */
export function commitAll(folder: string): string {
  gitIn(folder, ['init', '--quiet', '--initial-branch', 'main']);
  gitIn(folder, ['add', '--all']);
  gitIn(folder, ['commit', '--quiet', '--message', 'all']);
  return gitIn(folder, ['rev-parse', 'HEAD']);
}

function gitIn(folder: string, args: readonly string[]): string {
  const options = { encoding: 'utf8', env: { ...process.env, ...author } } as const;
  return execFileSync('git', ['-C', folder, ...args], options).trim();
}

const author = {
  GIT_AUTHOR_NAME: 'somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
  GIT_CONFIG_GLOBAL: '/dev/null',
};
