// --override: a folder of this machine in place of an input.

import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commitAll } from '../support/git-project.ts';
import { testProject, type TestProject } from './cairn.ts';

const flakeOfInput = `
import { unpackPin } from 'cairn-build';
export default defineFlake({
  description: 'a test',
  inputs: { linux: { kind: 'debian-source', suite: 'trixie', package: 'linux' } },
  targets: ['x86_64-linux'],
  outputs: ({ pins }) => ({ kernel: compose({ name: 'kernel', parts: [unpackPin(pins.linux[0]!)] }) }),
});`;

function projectBeside(content: string): TestProject & { readonly source: string } {
  const project = testProject(flakeOfInput);
  const source = join(project.folder, '../linux');
  mkdirSync(source);
  writeFileSync(join(source, 'Makefile'), content);
  return { ...project, source };
}

it('a command builds from a folder in place of what is pinned, wherever it is typed', async () => {
  const project = projectBeside('VERSION = 6');
  const below = join(project.folder, 'below');
  mkdirSync(below);
  const built = await project.run('build', 'kernel', '--override', 'linux=../linux');
  expect(built).toMatchObject({ status: 0 });
  const { stdout } = await project.startIn(below, 'cat', '--override', 'linux=../../linux', 'kernel/Makefile')
    .ended;
  expect(stdout).toBe('VERSION = 6');
  const plain = await project.run('build', 'kernel');
  expect(plain.status).toBe(2);
  expect(plain.stderr).toContain('LOCK_MISSING_PIN');
});

it('it is said once of which folder a result is, of which commit, and whether it was changed since', async () => {
  const project = projectBeside('VERSION = 6');
  writeFileSync(join(project.source, '.gitignore'), '*.o\n');
  const override = ['--override', 'linux=../linux'];
  const says = async (text: string, ...words: readonly string[]): Promise<void> => {
    const { stderr } = await project.run(...words, ...override);
    expect(stderr.split('\n').filter((line) => line.startsWith('local '))).toEqual([
      `local linux is the folder ${project.source} (${text})`,
    ]);
  };
  await says('no commit known', 'build', 'kernel');
  const commit = commitAll(project.source);
  const short = `commit ${commit.slice(0, 12)}`;
  await says(`${short}, unchanged`, 'build', 'kernel');
  writeFileSync(join(project.source, 'Makefile.o'), 'what git ignores');
  await says(`${short}, unchanged`, 'build', 'kernel');
  writeFileSync(join(project.source, 'Makefile'), 'VERSION = 7');
  await says(`${short}, changed since`, 'why', 'kernel');
  await says(`${short}, changed since`, 'build', 'kernel');
  await says(`${short}, changed since`, 'cat', 'kernel/Makefile');
  await says(`${short}, changed since`, 'ls', 'kernel');
  writeFileSync(join(project.source, 'Makefile'), 'VERSION = 6');
  await says(`${short}, unchanged`, 'build', 'kernel');
  writeFileSync(join(project.source, 'new.c'), 'untracked');
  await says(`${short}, changed since`, 'build', 'kernel');

  const { records } = await project.run('build', 'kernel', '--json', ...override);
  expect(records().filter(({ type }) => type === 'local-source')).toEqual([
    {
      v: 1,
      type: 'local-source',
      input: 'linux',
      folder: project.source,
      tree: expect.stringMatching(/^[0-9a-f]{64}\/\d+$/) as string,
      commit,
      isChanged: true,
    },
  ]);
});

it('a folder that a repository around it ignores is of no commit', async () => {
  const project = projectBeside('VERSION = 6');
  const around = join(project.folder, '..');
  writeFileSync(join(around, '.gitignore'), '*\n!.gitignore\n');
  commitAll(around);
  const { stderr } = await project.run('build', 'kernel', '--override', 'linux=../linux');
  expect(stderr).toContain(`local linux is the folder ${project.source} (no commit known)`);
});

it('an override that changes nothing of what was asked for is worth a note', async () => {
  const project = projectBeside('');
  project.config(
    flakeOfInput.replace('({ kernel:', '({ words: write({ name: "words", files: {} }), kernel:'),
  );
  const { stderr } = await project.run('build', 'words', '--override', 'linux=../linux');
  expect(stderr).toContain('note nothing of words is made from input linux: its override changes nothing');
  expect(stderr).not.toContain('local linux');
});

it('what was touched, and objects that git ignores, are nothing to build', async () => {
  const project = projectBeside('VERSION = 6');
  writeFileSync(join(project.source, '.gitignore'), '*.o\n.config\n');
  commitAll(project.source);
  const override = ['--override', 'linux=../linux'];
  await project.run('build', 'kernel', ...override);
  utimesSync(join(project.source, 'Makefile'), 5, 5);
  writeFileSync(join(project.source, 'main.o'), 'object');
  writeFileSync(join(project.source, '.config'), 'CONFIG_X=y');
  const { records } = await project.run('build', 'kernel', '--json', ...override);
  expect(records().find(({ type }) => type === 'target')).toMatchObject({ state: 'up-to-date' });
  rmSync(join(project.source, '.git'), { recursive: true });
  const { records: now } = await project.run('build', 'kernel', '--json', '--dry-run', ...override);
  expect(now().find(({ type }) => type === 'planned')).toMatchObject({ toDo: 0 });
});

it.each([
  [['linx=../linux'], 'the flake has no input "linx" to override'],
  [['linux'], '--override linux names no input and its folder'],
  [['linux='], '--override linux= names no input and its folder'],
  [['linux=../linux', 'linux=.'], '--override names two folders for linux'],
])('--override %j is refused', async (overrides, message) => {
  const project = projectBeside('');
  const words = overrides.flatMap((text) => ['--override', text]);
  const { status, stderr } = await project.run('build', 'kernel', ...words);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

it('a folder that is not there is named as it was looked for', async () => {
  const project = projectBeside('');
  const { status, stderr } = await project.run('why', 'kernel', '--override', 'linux=../gone');
  expect(status).toBe(2);
  expect(stderr).toContain(`there is no folder ${join(project.folder, '../gone')}`);
});
