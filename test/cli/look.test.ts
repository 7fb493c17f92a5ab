// Commands that look into outputs: ls, cat, path, diff, list, log.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { smallFlake, testProject, type TestProject } from './cairn.ts';

async function builtProject(body?: string): Promise<TestProject> {
  const project = testProject(body);
  await project.run('build', 'all');
  return project;
}

describe('looking into outputs', () => {
  it('lists a folder, and everything below it with -R', async () => {
    const project = await builtProject();
    expect((await project.run('ls', 'all')).stdout).toBe('bin/\nshare/\n');
    expect((await project.run('ls', 'all/bin/')).stdout).toBe('alias\ntool\n');
    expect((await project.run('ls', '-R', 'all')).stdout).toBe(
      'bin/\nbin/alias\nbin/tool\nshare/\nshare/words\n',
    );
  });

  it('lists sizes, digests and links with -l', async () => {
    const { stdout } = await (await builtProject()).run('ls', '-l', 'all/bin');
    expect(stdout).toMatch(/^link {23,}alias -> tool$/m);
    expect(stdout).toMatch(/^prog {2}10 {2}[0-9a-f]{16} {2}tool$/m);
  });

  it('lists for machines', async () => {
    const { records } = await (await builtProject()).run('ls', 'all/bin', '--json');
    expect(records()).toEqual([
      { v: 1, type: 'entry', path: 'alias', kind: 'symlink', target: 'tool' },
      {
        v: 1,
        type: 'entry',
        path: 'tool',
        kind: 'blob',
        sizeBytes: 10,
        executable: true,
        digest: expect.any(String) as string,
      },
    ]);
  });

  it('prints a file byte for byte, and says what a folder and a link are', async () => {
    const project = await builtProject();
    expect((await project.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');
    const folder = await project.run('cat', 'all/share');
    expect(folder.status).toBe(2);
    expect(folder.stderr).toContain('cairn ls all/share');
    expect((await project.run('cat', 'all/bin/alias')).stderr).toContain('points to tool');
  });

  it('gives a path at which the content lies, read-only', async () => {
    const { stdout } = await (await builtProject()).run('path', 'all/bin/tool');
    expect(readFileSync(stdout.trim(), 'utf8')).toBe('#!/bin/sh\n');
    expect(statSync(stdout.trim()).mode & 0o222).toBe(0);
  });

  it('names what is not there, and where to look', async () => {
    const project = await builtProject();
    const { status, stderr } = await project.run('ls', 'all/share/nothing');
    expect(status).toBe(1);
    expect(stderr).toContain('error[PATH_NOT_FOUND] all@x86_64-linux has no share/nothing');
    expect(stderr).toContain('cairn ls all@x86_64-linux/share');
    expect((await project.run('ls', 'all/../words')).stderr).toContain('PATH_INVALID');
  });

  it('says how to build what is not built', async () => {
    const { status, stderr } = await testProject().run('ls', 'all');
    expect(status).toBe(1);
    expect(stderr).toContain('next: Build it: cairn build all@x86_64-linux');
  });

  it('looks into a digest without any project', async () => {
    const project = await builtProject();
    const digest = (await project.run('path', '--digest', 'all')).stdout.trim();
    const elsewhere = { ...project, folder: '/' };
    expect((await elsewhere.startIn('/', 'ls', `${digest}/share`).ended).stdout).toBe('words\n');
    expect((await elsewhere.startIn('/', 'cat', `${digest}/share/words`).ended).stdout).toContain('two');
    const unknown = `${'0'.repeat(64)}/1`;
    expect((await elsewhere.startIn('/', 'ls', unknown).ended).stderr).toContain('PATH_NOT_FOUND');
  });

  it('compares two outputs file by file', async () => {
    const project = await builtProject();
    const before = (await project.run('path', '--digest', 'all')).stdout.trim();
    project.config(
      smallFlake.replace('three', 'tres').replace("'bin/alias': { symlink: 'tool' }", "'bin/new': 'x'"),
    );
    await project.run('build', 'all');
    const { status, stdout, stderr } = await project.run('diff', before, 'all');
    expect(status).toBe(0);
    expect(stdout).toBe(
      '- bin/alias  link to tool\n+ bin/new  1 byte\n~ share/words  14 bytes → 13 bytes, from byte 9\n',
    );
    expect(stderr).toBe('3 paths differ\n');
    expect((await project.run('diff', '--exit-code', before, 'all')).status).toBe(1);
    expect((await project.run('diff', '--exit-code', 'all', 'all')).status).toBe(0);
  });

  it('lists what there is to build', async () => {
    const project = testProject();
    expect((await project.run('list')).stdout).toMatch(
      /^a test\nwords {2}a list of words\ntool {3}a program\nall\nfor x86_64-linux/,
    );
    expect((await project.run('list', '--json')).records()).toHaveLength(3);
  });

  it('lists what cannot be built with the reason, and builds the rest', async () => {
    const project = testProject(`
const words = write({ name: 'words', files: { a: 'x' } });
const wrong = compose({ name: 'wrong', parts: [write({ name: 'no name', files: {} })] });
export default flake({ words, wrong: { derivation: wrong, description: 'a program' } });`);
    const { status, stdout } = await project.run('list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^words\nwrong {2}broken: "no name" is not a name \(.*config\.ts:5:\d+\)$/m);
    expect((await project.run('list', '--json')).records()).toMatchObject([
      { type: 'output', name: 'words' },
      { type: 'broken-output', name: 'wrong', description: 'a program', code: 'DERIVATION_INVALID' },
    ]);
    expect((await project.run('build', 'words')).status).toBe(0);
    const failed = await project.run('build', 'words', 'wrong');
    expect(failed.status).toBe(2);
    expect(failed.stderr).toMatch(
      /^error\[DERIVATION_INVALID\] "no name" is not a name\n {2}at .*config\.ts:5:\d+\n {2}next: /,
    );
    expect((await project.run('build')).stderr).toContain('This flake has words, wrong.');
  });

  it('strips what a terminal would obey from names', async () => {
    const project = await builtProject(`
      const odd = write({ name: 'odd', files: { 'a\\u001b[31mred\\u202e': 'x' } });
      export default flake({ all: odd });`);
    expect((await project.run('ls', 'all')).stdout).toBe('ared\n');
    expect((await project.run('ls', 'all', '--json')).records()[0]).toMatchObject({
      path: 'a\u001b[31mred\u202e',
    });
  });

  it('says that a step without a command has no log', async () => {
    const { status, stderr } = await (await builtProject()).run('log', 'words');
    expect(status).toBe(2);
    expect(stderr).toContain('no step of this flake that runs a command is called "words"');
  });

  it('draws what needs what', async () => {
    const project = testProject();
    const dot = (await project.run('graph', 'all', '--all')).stdout;
    expect(dot).toContain('label="compose all"');
    expect(dot.match(/->/g)).toHaveLength(2);
    const json = (await project.run('graph', 'all', '--all', '--depth', '1', '-f', 'json')).records()[0];
    expect(json).toMatchObject({
      type: 'graph',
      nodes: [{ name: 'all' }, { name: 'words' }, { name: 'tool' }],
    });
    const svg = (await project.run('graph', 'all', '--all', '--format', 'svg')).stdout;
    expect(svg).toMatch(/<svg[\s\S]*compose all[\s\S]*<\/svg>/);
  });
});

describe('cairn path', () => {
  it('gives what can be compared with another machine', async () => {
    const project = await builtProject();
    const { records } = await project.run('path', 'words', '--json');
    expect(records()[0]).toMatchObject({
      type: 'path',
      target: 'words',
      path: join(
        project.env['CAIRN_STORE']!,
        'results',
        (records()[0]!['digest'] as string).slice(0, 64),
        'content',
      ),
    });
  });
});
