// `cairn store`: what is kept, what can go, what is damaged, and mending it.

import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mainFile, smallFlake, testProject, type TestProject } from './cairn.ts';

/** Overwrites the only blob of this size. */
function damage(project: TestProject, sizeBytes: number): void {
  const blobs = join(project.env['CAIRN_STORE']!, 'blobs');
  const files = readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  const path = paths.find((candidate) => statSync(candidate).size === sizeBytes)!;
  chmodSync(path, 0o644);
  writeFileSync(path, 'x'.repeat(sizeBytes));
}

describe('cairn store', () => {
  it('keeps what was built last and deletes what nothing keeps, after saying what', async () => {
    const project = testProject();
    await project.run('build', 'words');
    expect((await project.run('store', 'gc')).stdout).toContain('deleted 0 files');
    expect((await project.run('build', 'all', '--dry-run')).status).toBe(0);
    await project.run(
      'store',
      'roots',
      '--remove',
      `build:${join(project.folder, 'flake-like.config.ts')}#words@x86_64-linux`,
    );
    const { stdout } = await project.run('store', 'gc', '--dry-run');
    expect(stdout).toMatch(/^ {2}words +\d+ ms$/m);
    expect(stdout).toMatch(/^would delete 1 file, 14 B: 1 build that took /m);
    expect((await project.run('ls', 'words')).status).toBe(0);
    expect((await project.run('store', 'gc', '--json')).records().at(-1)).toMatchObject({
      type: 'gc',
      dryRun: false,
      blobs: 1,
    });
    expect((await project.run('ls', 'words')).status).toBe(1);
    expect((await project.run('build', 'words')).stdout).toContain('built in');
  });

  it('deletes for whoever runs it at the lowest priority, which nobody may raise again', async () => {
    const project = testProject();
    await project.run('build', 'words');
    const root = `build:${join(project.folder, 'flake-like.config.ts')}#words@x86_64-linux`;
    await project.run('store', 'roots', '--remove', root);
    const words = ['-n', '19', process.execPath, mainFile, 'store', 'gc', '--max-size', '1'];
    const { status, stdout, stderr } = spawnSync('nice', words, {
      cwd: project.folder,
      env: project.env,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('deleted 1 file');
  });

  it('keeps as much as fits into the size that was asked for, and says how much stays', async () => {
    const project = testProject();
    await project.run('build', 'words');
    await project.run(
      'store',
      'roots',
      '--remove',
      `build:${join(project.folder, 'flake-like.config.ts')}#words@x86_64-linux`,
    );
    const { stdout } = await project.run('store', 'gc', '--max-size', '20G');
    expect(stdout).toMatch(/^deleted 0 files, 0 B\n[\d.]+ [kM]?B stay\n$/);
    expect((await project.run('store', 'gc', '--keep-days', '1')).stdout).toContain('deleted 0 files');
    expect((await project.run('store', 'gc', '--max-size', '1')).stdout).toMatch(
      /deleted 1 file, 14 B.*\n.* stay: the rest is kept by roots, used now, or was used lately\n$/,
    );
    expect((await project.run('store', 'gc', '--max-size', '20 apples')).status).toBe(2);
  });

  it('is kept to the size in CAIRN_STORE_SIZE by commands that build, which no build has to wait for otherwise', async () => {
    const project = testProject(smallFlake, { CAIRN_STORE_SIZE: '1' });
    const { status, stderr } = await project.run('build', 'all');
    expect({ status, stderr }).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(
        /CAIRN_STORE_SIZE: deleted \d+ files?, .*; the store takes .* of 1 B\n$/,
      ) as string,
    });
    expect((await project.run('build', 'all')).stderr).not.toContain('CAIRN_STORE_SIZE');
    expect((await project.run('ls', 'all')).status).toBe(0);
    const mistyped = testProject(smallFlake, { CAIRN_STORE_SIZE: 'much' });
    expect(await mistyped.run('build', 'all')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('CAIRN_STORE_SIZE is no size: much') as string,
    });
  });

  it('keeps what a link points to, for as long as the link is there', async () => {
    const project = testProject();
    await project.run('build', 'words', '--out-link', 'result');
    const { records } = await project.run('store', 'roots', '--json');
    for (const { name } of records().filter((root) => String(root['name']).startsWith('build:')))
      await project.run('store', 'roots', '--remove', String(name));
    expect((await project.run('store', 'gc')).stdout).toContain('deleted 0 files');
    rmSync(join(project.folder, 'result'));
    expect((await project.run('store', 'gc')).stdout).toContain('deleted 1 file');
  });

  it('finds damage, ends with status 20, and mends it', async () => {
    const project = testProject();
    await project.run('build', 'all');
    expect((await project.run('store', 'verify')).status).toBe(0);
    damage(project, 14);
    const { status, stdout } = await project.run('store', 'verify');
    expect(status).toBe(20);
    expect(stdout).toContain('1 thing damaged; mend it with `cairn store repair`');
    const repaired = await project.run('store', 'repair');
    expect(repaired.status).toBe(0);
    expect(repaired.stdout).toContain('1 thing set aside');
    expect(
      (await project.run('store', 'verify', '--json')).records().every(({ type }) => type === 'verified'),
    ).toBe(true);
    expect((await project.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');
  });

  it('sets damage aside where there is no project', async () => {
    const project = testProject();
    await project.run('build', 'all');
    damage(project, 14);
    expect((await project.startIn('/', 'store', 'repair').ended).status).toBe(0);
    expect((await project.run('build', 'all')).stdout).toContain('built in');
  });

  it('says how much room it takes', async () => {
    const project = testProject(smallFlake);
    await project.run('build', 'all');
    expect((await project.run('store', 'du')).stdout).toMatch(/^blobs +\d.* 2 files$/m);
    expect((await project.run('store', 'du', '--json')).records()).toContainEqual(
      expect.objectContaining({ type: 'usage', name: 'blobs', files: 2 }),
    );
  });

  it('knows only names that keep something', async () => {
    const { status, stderr } = await testProject().run('store', 'roots', '--remove', 'nothing');
    expect(status).toBe(2);
    expect(stderr).toContain('error[USAGE]');
  });
});
