// `cairn build`: what it makes, what it says, and what it leaves alone.

import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { smallFlake, testProject } from './cairn.ts';

const conflicting = `
const one = write({ name: 'one', files: { file: 'one' } });
const two = write({ name: 'two', files: { file: 'two' } });
const clash = compose({ name: 'clash', parts: [one, two] });
const crash = compose({ name: 'crash', parts: [two, one] });
export default flake({ one, clash, crash, above: compose({ name: 'above', parts: [clash] }) });
`;

describe('cairn build', () => {
  it('prints one line for each target: name, digest, amount, and that it was built', async () => {
    const { status, stdout } = await testProject().run('build', 'words', 'tool@x86_64-linux');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^words@x86_64-linux {2}[0-9a-f]{16} {2}1 file {2}14 B {2}built in \d.*$/m);
    expect(stdout).toMatch(/^tool@x86_64-linux {2}[0-9a-f]{16} {2}2 files {2}10 B {2}built in \d.*$/m);
  });

  it('shows what a composed target is made of', async () => {
    const { stdout } = await testProject().run('build', 'all');
    expect(stdout).toMatch(/^ {2}words {2} ?1 file {2}14 B {2}\s*a list of words$/m);
    expect(stdout).toMatch(/^ {2}tool {2} +2 files {2}10 B {2}\s*a program$/m);
  });

  it('says that a target is up to date, and does nothing, the second time', async () => {
    const project = testProject();
    await project.run('build', 'all');
    const { status, stdout, stderr } = await project.run('build', 'all');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^all@x86_64-linux {2}[0-9a-f]{16} {2}3 files {2}24 B {2}up to date\n$/);
  });

  it('gives the same digest from another folder, home and store', async () => {
    const [one, other] = await Promise.all([
      testProject().run('build', 'all', '--json'),
      testProject().run('build', 'all', '--json'),
    ]);
    const digest = (records: readonly Record<string, unknown>[]): unknown =>
      records.find(({ type }) => type === 'target')?.['digest'];
    expect(digest(one.records())).toMatch(/^[0-9a-f]{64}\/\d+$/);
    expect(digest(one.records())).toBe(digest(other.records()));
  });

  it('writes one JSON object a line with --json, and nothing else', async () => {
    const project = testProject();
    const { stderr, records } = await project.run('build', 'all', '--json');
    expect(stderr).toBe('');
    expect(records().map(({ type }) => type)).toEqual([
      'planned',
      ...Array<string>(3).fill('planned-step'),
      ...Array<string>(6)
        .fill('step-')
        .map(() => expect.stringMatching(/^step-(started|finished)$/) as string),
      'target',
      'done',
    ]);
    expect(records().at(-2)).toMatchObject({
      target: 'all@x86_64-linux',
      state: 'built',
      kind: 'tree',
      files: 3,
      sizeBytes: 24,
    });
    expect(records().at(-1)).toMatchObject({ ok: true });
  });

  it('says beforehand, with --dry-run and with why, what the build will fail with', async () => {
    const narrowed = (subpath: string): string =>
      smallFlake.replace('parts: [words, tool]', `parts: [from(words, { subpath: '${subpath}' }), tool]`);
    const project = testProject(narrowed('share'));
    await project.run('build', 'all');
    project.config(narrowed('shares'));
    const said = 'all: its input words has no "shares" in output out';
    const plan = await project.run('build', 'all', '--dry-run');
    expect(plan.stdout).toContain(
      `will fail compose all: ${said} [PATH_NOT_FOUND]\n  next: \`cairn ls OUTPUT\` shows what is in an output.\n`,
    );
    expect((await project.run('why', 'all')).stdout).toContain(`will fail compose all: ${said}`);
    for (const command of [
      ['build', 'all', '--dry-run'],
      ['why', 'all'],
    ])
      expect((await project.run(...command, '--json')).records()).toContainEqual(
        expect.objectContaining({
          name: 'all',
          failure: expect.objectContaining({ code: 'PATH_NOT_FOUND', message: said }) as object,
        }),
      );
    const build = await project.run('build', 'all', '--json');
    expect(build.records()).toContainEqual(
      expect.objectContaining({ type: 'step-finished', code: 'PATH_NOT_FOUND', message: said }),
    );
    expect(plan.status).toBe(build.status);
  });

  it('says with --dry-run what would be done and why, and does none of it', async () => {
    const project = testProject();
    await project.run('build', 'all');
    project.config(smallFlake.replace('three', '3'));
    const { status, stdout } = await project.run('build', 'all', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toBe('write words    changed: files.share/words.bytes\nto do, at most: 2 small steps\n');
    const { records } = await project.run('build', 'all', '-n', '--json');
    expect(records()[0]).toMatchObject({ type: 'planned', toDo: 2, upToDate: 1 });
  });

  it('builds one step for a change that its dependents do not see', async () => {
    const narrowed = (comment: string): string => `
      const tree = write({ name: 'tree', files: { 'a/file': 'a', 'b/note': '${comment}' } });
      export default flake({ user: compose({ name: 'user', parts: [from(tree, { subpath: 'a' })] }) });`;
    const project = testProject(narrowed('one'));
    await project.run('build', 'user');
    project.config(narrowed('two'));
    const { records } = await project.run('build', 'user', '--json');
    const outcomes = records().filter(({ type }) => type === 'step-finished');
    expect(outcomes.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['tree', 'built'],
      ['user', 'reused'],
    ]);
  });

  it('builds again with --rebuild what is up to date', async () => {
    const project = testProject();
    await project.run('build', 'words');
    const { stdout } = await project.run('build', 'words', '--rebuild');
    expect(stdout).toContain('built in');
  });

  it('reports a failure with its code and what to do next, and ends with status 1', async () => {
    const { status, stdout, stderr } = await testProject(conflicting).run('build', 'above');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^failed compose clash after .* \[COMPOSE_CONFLICT\]$/m);
    expect(stderr).toMatch(/^ {2}next: \S/m);
    expect(stderr).not.toContain('    at ');
  });

  it('goes on with --keep-going, lists the failures at the end, and ends with status 3 when something was built', async () => {
    const project = testProject(conflicting);
    const { status, stdout, stderr } = await project.run('build', '--keep-going', 'clash', 'crash', 'one');
    expect(status).toBe(3);
    expect(stdout).toMatch(/^one@x86_64-linux/);
    expect(stderr).toContain('2 steps failed: compose clash, compose crash');
    expect((await project.run('build', '--keep-going', 'clash')).status).toBe(1);
  });

  it('makes a link to the result that can be replaced, and never replaces anything else', async () => {
    const project = testProject();
    const link = join(project.folder, 'result');
    expect((await project.run('build', 'words', '--out-link', 'result')).status).toBe(0);
    expect(readFileSync(join(link, 'share/words'), 'utf8')).toBe('one\ntwo\nthree\n');
    const before = readlinkSync(link);
    expect((await project.run('build', 'tool', '-o', 'result')).status).toBe(0);
    expect(readlinkSync(link)).not.toBe(before);
    expect(statSync(join(link, 'bin/tool')).mode & 0o111).toBe(0o111);
    writeFileSync(join(project.folder, 'file'), 'mine');
    expect((await project.run('build', 'words', '-o', 'file')).status).toBe(2);
    expect(readFileSync(join(project.folder, 'file'), 'utf8')).toBe('mine');
  });

  it('makes a folder of links for several targets', async () => {
    const project = testProject();
    await project.run('build', 'words', 'tool', '--out-link', 'results');
    expect(existsSync(join(project.folder, 'results/words@x86_64-linux/share/words'))).toBe(true);
    expect(existsSync(join(project.folder, 'results/tool@x86_64-linux/bin/tool'))).toBe(true);
  });

  it('keeps what was built last, and the build before it, in the store', async () => {
    const project = testProject();
    for (const word of ['three', 'four', 'five']) {
      project.config(smallFlake.replace('three', word));
      await project.run('build', 'words');
    }
    const { records } = await project.run('store', 'roots', '--json');
    expect(records()).toHaveLength(1);
    expect(records()[0]).toMatchObject({
      type: 'root',
      derivations: [expect.any(String), expect.any(String)],
    });
  });

  it('builds what another config says with --config, in another store with --store', async () => {
    const project = testProject();
    const other = testProject(conflicting);
    const store = join(project.folder, 'elsewhere');
    const config = join(other.folder, 'flake-like.config.ts');
    expect((await project.run('--config', config, '--store', store, 'build', 'one')).status).toBe(0);
    expect(existsSync(join(store, 'format'))).toBe(true);
    expect(existsSync(project.env['CAIRN_STORE']!)).toBe(false);
  });

  it('finds the config from a folder below it', async () => {
    const project = testProject();
    const below = join(project.folder, 'a/b');
    mkdirSync(below, { recursive: true });
    const { status } = await project.startIn(below, 'build', 'words').ended;
    expect(status).toBe(0);
  });
});
