// Output that cannot be written: no command may end as if it had been.

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { smallImageFlake } from '../support/small-image.ts';
import { collect, mainFile, smallFlake, testProject, type TestProject } from './cairn.ts';

function full(): number {
  const fd = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(fd));
  return fd;
}

async function built(flake = smallFlake): Promise<TestProject> {
  const project = testProject(flake);
  expect((await project.run('build', flake === smallFlake ? 'all' : 'small')).status).toBe(0);
  return project;
}

const commands: [words: string, flake?: string][] = [
  ['--help'],
  ['--version'],
  ['help cat'],
  ['build all'],
  ['build all --dry-run'],
  ['cat all/share/words'],
  ['completion bash'],
  ['__complete -- cairn b'],
  ['diff words tool'],
  ['doctor --offline'],
  ['graph all'],
  ['image size small', smallImageFlake()],
  ['list'],
  ['ls all'],
  ['path all'],
  ['store du'],
  ['store gc --dry-run'],
  ['store roots'],
  ['store verify'],
  ['why all'],
];

describe('output that cannot be written is an error, for people and for machines', () => {
  it.each(commands)('of cairn %s', async (words, flake) => {
    const project = await built(flake);
    if (words === 'why all') project.config(smallFlake.replace('three', 'four'));
    for (const further of [[], ['--json']]) {
      const { status, stderr } = await project.runWith({ stdout: full() }, ...words.split(' '), ...further);
      const errors = stderr.split('\n').filter((line) => line.startsWith('error['));
      expect(errors, stderr).toHaveLength(1);
      expect(errors[0]).toMatch(/^error\[OUTPUT_UNWRITABLE\] standard output could not be written: ENOSPC/);
      expect(status).toBe(1);
    }
  });
});

describe('output that cannot be written', () => {
  it('does not hide that the command itself failed', async () => {
    const { status, stderr } = await testProject().runWith({ stdout: full() }, 'build', 'nothing', '--json');
    expect(stderr).toContain('OUTPUT_UNWRITABLE');
    expect(status).toBe(2);
  });

  it('is known by the status alone when it is standard error', async () => {
    const project = testProject();
    const { status, stdout } = await project.runWith({ stderr: full() }, 'build', 'all');
    expect(stdout).toMatch(/^all@x86_64-linux /);
    expect(status).toBe(1);
    expect((await project.runWith({ stderr: full() }, 'build', 'all')).status).toBe(0);
    expect((await project.runWith({ stderr: full() }, 'build', 'nothing')).status).toBe(2);
    expect((await project.runWith({ stdout: full(), stderr: full() }, 'path', 'all')).status).toBe(1);
  });

  it('is noticed when a file takes only a part of it', async () => {
    const big = `'x'.repeat(3_000_000)`;
    const project = testProject(
      `export default flake({ big: write({ name: 'big', files: { big: ${big} } }) });`,
    );
    await project.run('build', 'big');
    const child = spawn(
      'sh',
      ['-c', 'ulimit -f 4000; exec "$@" >out', 'sh', process.execPath, mainFile, 'cat', 'big/big'],
      { cwd: project.folder, env: project.env, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const { status, stderr } = await collect(child);
    expect(statSync(join(project.folder, 'out')).size).toBe(4000 * 512);
    expect(stderr).toMatch(/^error\[OUTPUT_UNWRITABLE\] standard output could not be written: EFBIG/);
    expect(status).toBe(1);
  });

  it('ends a long command early, and leaves the store in order', async () => {
    const files = Array.from({ length: 300 }, (_, at) => `f${at}: 'text ${at}'`).join(', ');
    const project = testProject(
      `export default flake({ all: write({ name: 'all', files: { ${files} } }) });`,
    );
    expect((await project.runWith({ stdout: full() }, 'build', 'all', '--json')).status).toBe(1);
    expect((await project.run('build', 'all')).status).toBe(0);
    expect((await project.run('store', 'verify')).status).toBe(0);
  });

  it('is written whole to a file and to a pipe otherwise', async () => {
    const text = 'line\\n'.repeat(300_000);
    const project = testProject(
      `export default flake({ big: write({ name: 'big', files: { big: '${text}' } }) });`,
    );
    await project.run('build', 'big');
    const file = join(project.folder, 'out');
    const fd = openSync(file, 'w');
    const { status } = await project.runWith({ stdout: fd }, 'cat', 'big/big');
    closeSync(fd);
    expect(status).toBe(0);
    const expected = 'line\n'.repeat(300_000);
    expect(readFileSync(file, 'utf8') === expected).toBe(true);
    expect((await project.run('cat', 'big/big')).stdout === expected).toBe(true);
  });

  it('is a whole plan, of more than a pipe takes at once', async () => {
    const project = testProject(`
const parts = Array.from({ length: 3000 }, (_, at) => write({ name: 'part' + at, files: { ['f' + at]: '' } }));
export default flake({ all: compose({ name: 'all', parts }) });`);
    const { status, records } = await project.run('build', 'all', '--dry-run', '--json');
    expect(status).toBe(0);
    expect(records()).toHaveLength(3002);
  });
});
