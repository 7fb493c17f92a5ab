// Steps with kept folders on the built command line: what it says of them, and what it does when a clean build differs.

import { expect, test } from 'vitest';
import { cairnProject, countingFlake, type CairnProject } from '../support/cairn-project.ts';

const countingProject = (): CairnProject => cairnProject(countingFlake());

test('what was made in kept folders is said to be that until a clean build has proven it', async () => {
  const project = countingProject();
  expect((await project.run(['build', 'counted'])).stdout).not.toContain('incrementally');
  project.write('source/text', 'two\n');
  const second = await project.run(['build', 'counted']);
  expect(second.stderr).toMatch(/built counted@x86_64-linux \(.*, incrementally\)/);
  expect(second.stdout).toMatch(/^counted@x86_64-linux .* built in .*, incrementally$/m);
  const again = await project.run(['build', 'counted', '--json']);
  expect(again.events.find(({ type }) => type === 'target')).toMatchObject({
    state: 'up-to-date',
    incremental: true,
  });
  expect((await project.run(['why', 'counted'])).stdout).toContain(
    'counted@x86_64-linux was made incrementally; `cairn check --promote counted@x86_64-linux` proves it',
  );
  const promoted = await project.run(['check', 'counted', '--promote']);
  expect([promoted.status, promoted.stdout]).toEqual([
    0,
    'identical  counted@x86_64-linux\n1 step built cleanly: 1 identical\n',
  ]);
  expect((await project.run(['build', 'counted'])).stdout).not.toContain('incrementally');
  expect((await project.run(['check', 'counted', '--promote'])).stdout).toBe(
    'nothing to promote: all of it is proven\n',
  );
  expect((await project.run(['store', 'du'])).stdout).toMatch(/^ {2}counted@x86_64-linux .* used today$/m);
});

test('what a clean build does not give is an error that names the files, and is forgotten', async () => {
  const project = countingProject();
  await project.run(['build', 'counted']);
  project.write('source/text', 'count\n');
  await project.run(['build', 'counted']);
  expect((await project.run(['cat', 'counted/count'])).stdout).toBe('2\n');
  const checked = await project.run(['check', 'counted', '--promote']);
  expect(checked.status).toBe(4);
  expect(checked.stdout).toContain('different  counted@x86_64-linux\n  ~ count  2 bytes, from byte 0\n');
  const after = await project.run(['build', 'counted']);
  expect(after.stdout).toMatch(/up to date$/m);
  expect((await project.run(['cat', 'counted/count'])).stdout).toBe('1\n');
});

test('--clean takes nothing that was made in kept folders, and --incremental does in them what is asked for', async () => {
  const project = countingProject();
  await project.run(['build', 'counted']);
  project.write('source/text', 'count\n');
  await project.run(['build', 'counted']);
  const plan = await project.run(['build', 'counted', '--clean', '--dry-run']);
  expect(plan.stdout).toContain('to do: 1 command');
  const clean = await project.run(['build', 'counted', '--clean']);
  expect(clean.status).toBe(0);
  expect((await project.run(['cat', 'counted/count'])).stdout).toBe('1\n');
  expect((await project.run(['build', 'counted', '--clean', '--incremental'])).status).toBe(2);
});
