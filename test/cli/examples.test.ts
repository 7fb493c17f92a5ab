// Every example that `cairn init` copies, from that copy alone: its types, its pins, its plan. `npm run test:images` builds them.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleNames } from '../../cli/project/new-project.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject } from './cairn.ts';

describe.each(exampleNames())('the example %s', (name) => {
  it('is a project with types and pins for all that it needs, and no network is asked for them', async () => {
    const folder = tempFolder('example');
    const env = { CAIRN_MIRROR_DEBIAN: 'http://127.0.0.1:1' };
    const run = (...args: readonly string[]) => testProject(undefined, env).startIn(folder, ...args).ended;
    expect(await run('init', '--example', name)).toMatchObject({ status: 0 });
    const types = spawnSync(join(packageRoot, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(types.stdout).toBe('');
    const plan = await run('build', '--dry-run');
    expect(plan).toMatchObject({ status: 0 });
    expect(plan.stdout).toMatch(/^to do: (\d+ commands?, )?\d+ downloads \([\d.]+ [kMG]B\), /m);
    expect((await run('lock', '--missing')).stdout).toBe('every input that the outputs need is pinned\n');
  });
});
