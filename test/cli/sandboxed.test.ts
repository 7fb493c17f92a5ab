// Commands about steps that run in the sandbox: failures and their logs, shells, sources.

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxFlake, cairnProject, type CairnProject } from '../support/cairn-project.ts';
import { tempFolder } from '../support/temp-folder.ts';

const outputs = `{
  good: command('good', 'echo I am good; echo good > $out/file'),
  bad: command('bad', 'echo one; echo two; echo left > left; exit 3'),
  above: compose({ name: 'above', parts: [command('good', 'echo I am good; echo good > $out/file')] }),
}`;

const project = (): CairnProject => cairnProject(busyboxFlake(outputs));

describe('a step that fails', () => {
  it('ends the build with its log, where all of it is, and how to look further', async () => {
    const of = project();
    const { status, stdout, stderr } = await of.run(['build', 'bad']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^start bad@x86_64-linux$/m);
    expect(stderr).toMatch(
      /^failed bad@x86_64-linux after .*: bad exited with status 3 \[BUILD_EXIT\]\n {2}│ one\n {2}│ two\n/m,
    );
    expect(readFileSync(/all of the log: (.*)/.exec(stderr)![1]!, 'utf8')).toBe('one\ntwo\n');
    expect(stderr).toContain('cairn shell --failed bad@x86_64-linux');
  });

  it('has a log, and a folder to look around in', async () => {
    const of = project();
    await of.run(['build', 'bad']);
    const log = await of.run(['log', 'bad']);
    expect([log.stdout, log.stderr]).toEqual(['one\ntwo\n', '']);
    expect((await of.run(['log', 'bad', '--json'])).events).toEqual([
      { v: 1, type: 'log', step: 'bad@x86_64-linux', text: 'one\ntwo\n', outcome: 'failed', here: true },
    ]);
    const look = await of.run(['shell', '--failed', 'bad', '--', '/bin/cat', 'left']);
    expect({ status: look.status, stdout: look.stdout }).toEqual({ status: 0, stdout: 'left\n' });
    expect((await of.run(['shell', '--failed', 'bad', '--', '/bin/sh', '-c', 'exit 7'])).status).toBe(1);
  });
});

describe('a step that was built', () => {
  it('has its log, also by the name of what is composed from it', async () => {
    const of = project();
    await of.run(['build', 'above']);
    expect((await of.run(['log', 'good'])).stdout).toBe('I am good\n');
    expect((await of.run(['log', 'good', '--json'])).events).toEqual([
      { v: 1, type: 'log', step: 'good@x86_64-linux', text: 'I am good\n', outcome: 'built', here: true },
    ]);
  });

  it('has no log of a failure, nor one as it is described now once that is something else', async () => {
    const of = project();
    await of.run(['build', 'good']);
    const failed = await of.run(['log', '--failed', 'good']);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('there is no log of a failure of good@x86_64-linux');
    const other = busyboxFlake(`{ good: command('good', 'echo I am better; echo good > $out/file') }`);
    writeFileSync(join(of.folder, 'flake-like.config.ts'), other['flake-like.config.ts']!);
    const { status, stderr } = await of.run(['log', 'good']);
    expect(status).toBe(1);
    expect(stderr).toContain('there is no log of good@x86_64-linux as it is described now');
    expect((await of.run(['build', 'good'])).status).toBe(0);
    expect((await of.run(['log', 'good'])).stdout).toBe('I am better\n');
  });

  it('has a sandbox to look around in, of which nothing is kept', async () => {
    const of = project();
    const { status, stdout } = await of.run([
      'shell',
      'good',
      '--',
      '/bin/sh',
      '-c',
      'ls /; echo $PWD; echo x > $out/x',
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain('outputs');
    expect(readdirSync(join(of.store, 'tmp'))).toEqual([]);
    expect((await of.run(['shell'])).status).toBe(2);
  });
});

describe('sources', () => {
  it('are collected into a folder from which the same is built without a network', async () => {
    const of = project();
    const folder = join(of.folder, 'mirror');
    const { status, stdout } = await of.run(['fetch', 'good', '--to', folder]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+ sources in /);
    expect(existsSync(join(folder, 'SHA256SUMS'))).toBe(true);
    const other = cairnProject(busyboxFlake(outputs), folder);
    expect((await other.run(['build', 'good', '--offline'])).status).toBe(0);
  });

  it('that cannot be had end the build with status 1 and say what to do', async () => {
    const of = cairnProject(busyboxFlake(outputs), tempFolder('nothing'));
    const { status, stderr } = await of.run(['build', 'good', '--offline']);
    expect(status).toBe(1);
    expect(stderr).toContain('FETCH_OFFLINE');
    expect(stderr).toContain('not built because of that: good@x86_64-linux');
  });
});

describe('cairn doctor', () => {
  it('finds this machine fit, and leaves nothing behind', async () => {
    const of = project();
    const { status, stdout } = await of.run(['doctor']);
    expect(stdout).not.toMatch(/^fail/m);
    expect(status).toBe(0);
    for (const subject of ['machine', 'node', 'store', 'hard links', 'letter case', 'lock', 'sandbox'])
      expect(stdout).toMatch(new RegExp(`^(ok|warn) +${subject} `, 'm'));
    expect(readdirSync(join(of.store, 'tmp'))).toEqual([]);
  });

  it('names what is wrong and how to mend it, and ends with status 1', async () => {
    const of = project();
    const config = busyboxFlake(outputs)['flake-like.config.ts']!;
    of.write(
      'flake-like.config.ts',
      config.replace(/sandbox: \(\) => .*/, 'sandbox: ({ pins }) => sandboxTool(pins),'),
    );
    of.write('flake-like.lock', '{"version": 1, "inputs": {}}\n');
    const { status, events } = await of.run(['doctor', '--json']);
    expect(status).toBe(1);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'finding',
        subject: 'config',
        state: 'fail',
        hint: expect.stringContaining('cairn lock') as string,
      }),
    );
    mkdirSync(join(of.folder, 'letters'));
    writeFileSync(join(of.folder, 'letters/a'), '');
    const broken = await of.run(['doctor', '--store', join(of.folder, 'letters')]);
    expect(broken.status).toBe(1);
    expect(broken.stdout).toMatch(/^fail +store /m);
  });
});
