// --override: a folder of this machine in place of an input.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testProject, type TestProject } from './cairn.ts';

const flakeOfInput = `
import { unpackPin } from 'cairn';
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
  expect(status).toBe(1);
  expect(stderr).toContain(`there is no folder ${join(project.folder, '../gone')}`);
});
