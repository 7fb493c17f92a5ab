// Every example that `cairn init` copies, from that copy alone: its types, its pins, its plan. `npm run test:images` builds them.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exampleNames } from '../../cli/project/new-project.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { testProject } from './cairn.ts';

// One folder and one store for all: what evaluations have in common is read and transformed once.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-examples-'));
});
afterAll(() => removeTree(folder));

it.each(exampleNames())(
  'the example %s is a project with pins for all that it needs, and no network is asked for them',
  async (name) => {
    const env = { CAIRN_MIRROR_DEBIAN: 'http://127.0.0.1:1', CAIRN_STORE: join(folder, 'store') };
    const project = testProject(undefined, env);
    const run = (...args: readonly string[]) => project.startIn(join(folder, name), ...args).ended;
    const made = await project.startIn(folder, 'init', name, '--example', name).ended;
    expect(made).toMatchObject({ status: 0 });
    const plan = await run('build', '--dry-run');
    expect(plan).toMatchObject({ status: 0 });
    expect(plan.stdout).toMatch(/^to do: (\d+ commands?, )?\d+ downloads \([\d.]+ [kMG]B\), /m);
    expect((await run('lock', '--missing')).stdout).toBe('every input that the outputs need is pinned\n');
  },
);

it('the examples have types, which an editor finds from each', () => {
  // One look at all of them, since most of it is to read the package set's types.
  symlinkSync('start/node_modules', join(folder, 'node_modules'));
  const settings = { extends: './start/tsconfig.json', include: ['*/*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const types = spawnSync(join(packageRoot, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  expect(types.stdout).toBe('');
  expect(types.status).toBe(0);
});
