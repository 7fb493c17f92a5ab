// Trees that are deeper than any path on a disk: a Merkle tree may be, and what is told of it does not depend on that.

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testProject, type TestProject } from './cairn.ts';

const levels = 6000;
const flakeOfDeepTrees = `
const deep = (text) => {
  let tree = write({ name: 'leaf', files: { leaf: text } });
  for (let level = 0; level < ${levels / 60}; level++)
    tree = compose({ name: 'levels', parts: [{ input: tree, at: '${Array.from({ length: 60 }, () => 'd').join('/')}' }] });
  return tree;
};
export default flake({ one: deep('one'), other: deep('other') });
`;
const leaf = `${'d/'.repeat(levels)}leaf`;

async function builtProject(): Promise<TestProject> {
  const project = testProject(flakeOfDeepTrees);
  expect((await project.run('build', 'one', 'other')).status).toBe(0);
  return project;
}

describe('a tree of six thousand levels', () => {
  it('is built, and its size told', async () => {
    const { stdout } = await (await builtProject()).run('build', 'one');
    expect(stdout).toMatch(/^one@x86_64-linux +[0-9a-f]{16} +1 file +3 B /m);
  });

  it('is listed, level after level', async () => {
    const { status, stdout } = await (await builtProject()).run('ls', '-R', 'one');
    const lines = stdout.trimEnd().split('\n');
    expect({ status, count: lines.length }).toEqual({ status: 0, count: levels + 1 });
    expect([lines[0], lines[1], lines.at(-1)]).toEqual(['d/', 'd/d/', leaf]);
  });

  it('is compared with another', async () => {
    const project = await builtProject();
    expect(await project.run('diff', 'one', 'one')).toMatchObject({ status: 0, stdout: '' });
    const { status, stdout } = await project.run('diff', 'one', 'other', '--exit-code');
    expect(status).toBe(1);
    expect(stdout).toContain(leaf);
  });

  it('is verified, with all that has parts of it', async () => {
    const { status, stdout } = await (await builtProject()).run('store', 'verify');
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('nothing is damaged') as string,
    });
  });

  it('is forgotten and made again when its leaf is lost, and nothing else is', async () => {
    const project = await builtProject();
    const sha256 = createHash('sha256').update('one').digest('hex');
    rmSync(join(project.env['CAIRN_STORE']!, 'blobs', sha256.slice(0, 2), sha256));
    const { status, stdout } = await project.run('store', 'repair');
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 thing set aside; 101 steps') as string,
    });
    expect((await project.run('cat', `one/${leaf}`)).stdout).toBe('one');
    const { records } = await project.run('build', 'other', '--json');
    expect(records().filter(({ type }) => type === 'step-finished')).toEqual([]);
  });

  it('is said to fit on no file system when somebody wants it as a folder', async () => {
    const { status, stderr } = await (await builtProject()).run('path', 'one');
    expect(status).toBe(1);
    expect(stderr).toMatch(/error\[OUTPUT_INVALID\] .* nested too deeply/);
  });
});
