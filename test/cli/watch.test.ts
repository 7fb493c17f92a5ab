// cairn watch as a person has it: a process that builds as real files change, in real sandboxes.

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { busyboxFlake, cairnProject, type CairnProject } from '../support/cairn-project.ts';
import type { ParsedRecord } from '../support/json-records.ts';
import { processesWith } from '../support/processes.ts';
import { StartedWatch } from '../support/started-watch.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { programPart, testProject, type TestProject } from './cairn.ts';

const localFlake = `
const source = localFolder({ name: 'source', path: './source' });
export default flake({ all: compose({ name: 'all', parts: [source] }), other: write({ name: 'other', files: { a: 'a' } }) });`;

function localProject(env: NodeJS.ProcessEnv = {}): TestProject {
  const project = testProject(localFlake, env);
  mkdirSync(join(project.folder, 'source'));
  writeFileSync(join(project.folder, 'source/a'), '1');
  return project;
}

/** Waits for the first build, and until nothing is unsure any more. */
async function started(project: TestProject, ...more: string[]): Promise<StartedWatch> {
  const watch = new StartedWatch(project.start('watch', 'all', '--json', '-o', 'result', ...more).process);
  await watch.until('round-finished', { result: 'built' });
  await watch.until('waiting');
  return watch;
}

function types(records: readonly ParsedRecord[], ...wanted: string[]): string[] {
  return records.map(({ type }) => String(type)).filter((type) => wanted.includes(type));
}

describe('a watch', () => {
  test('builds once for a save, once for a burst, and not at all for what git ignores', async () => {
    const project = localProject();
    const file = (name: string): string => join(project.folder, 'source', name);
    writeFileSync(file('.gitignore'), '*.o\n');
    spawnSync('git', ['init', '-q', join(project.folder, 'source')]);
    const watch = await started(project);
    writeFileSync(file('a'), '2');
    const first = await watch.until('round-finished', { round: 2 });
    expect(first.find(({ type }) => type === 'round')).toMatchObject({
      changed: [file('a')],
      changedCount: 1,
    });
    expect(readFileSync(join(project.folder, 'result/a'), 'utf8')).toBe('2');
    writeFileSync(file('a.o'), 'object');
    for (let at = 0; at < 200; at++) writeFileSync(file(`burst-${at}`), `${at}`);
    await watch.until('round-finished', { round: 3 });
    await watch.until('waiting');
    expect(readdirSync(join(project.folder, 'result'))).toHaveLength(202);
    expect(types(watch.records(), 'round')).toHaveLength(3);
    expect(await watch.end()).toBe(130);
    expect(watch.records().at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED', status: 130 });
  });

  test('tells what is wrong with the config, and goes on when it is mended, wherever the mistake was', async () => {
    const project = localProject();
    const watch = await started(project);
    const config = join(project.folder, 'flake-like.config.ts');
    const good = readFileSync(config, 'utf8');
    writeFileSync(config, `${good}\nsyntax (`);
    const [problem] = (await watch.until('problem')).slice(-1);
    expect(problem).toMatchObject({ code: 'CONFIG_INVALID' });
    // A file that only the config in error names, and that is in error itself.
    writeFileSync(join(project.folder, 'more.ts'), 'export const more = (');
    writeFileSync(
      config,
      `import { more } from './more.ts';\n${good.replace("files: { a: 'a' }", 'files: more')}`,
    );
    await watch.until('problem');
    writeFileSync(join(project.folder, 'more.ts'), "export const more = { b: 'b' };");
    await watch.until('problem-solved');
    // What was built is not built again.
    expect(types(watch.records(), 'round')).toHaveLength(1);
    writeFileSync(
      config,
      good.replace('parts: [source]', "parts: [source, write({ name: 'w', files: { b: 'b' } })]"),
    );
    await watch.until('round-finished', { round: 2 });
    expect(readFileSync(join(project.folder, 'result/b'), 'utf8')).toBe('b');
    expect(await watch.end()).toBe(130);
  });

  test('sees the lock change, and local folders go, come and be others', async () => {
    const project = localProject();
    const watch = await started(project);
    writeFileSync(join(project.folder, 'flake-like.lock'), '{');
    await watch.until('problem', { code: 'LOCK_INVALID' });
    writeFileSync(join(project.folder, 'flake-like.lock'), '{"version":1,"inputs":{}}');
    await watch.until('problem-solved');
    renameSync(join(project.folder, 'source'), join(project.folder, 'elsewhere'));
    await watch.until('problem', { code: 'SOURCE_MISSING' });
    writeFileSync(join(project.folder, 'elsewhere/a'), '2');
    renameSync(join(project.folder, 'elsewhere'), join(project.folder, 'source'));
    await watch.until('round-finished', { round: 2 });
    renameSync(join(project.folder, 'source'), join(project.folder, 'elsewhere'));
    project.config(localFlake.replace('./source', './elsewhere').replace("name: 'all'", "name: 'all2'"));
    await watch.until('waiting');
    writeFileSync(join(project.folder, 'elsewhere/a'), '3');
    for (;;) {
      await watch.until('round-finished', { result: 'built' });
      if (readFileSync(join(project.folder, 'result/a'), 'utf8') === '3') break;
    }
    expect(await watch.end()).toBe(130);
  });

  test('waits for a config that is in error from the start, and refuses a target that nobody knows', async () => {
    const project = testProject('syntax (');
    const watch = new StartedWatch(project.start('watch', 'all', '--json').process);
    await watch.until('problem', { code: 'CONFIG_INVALID' });
    project.config(`export default flake({ all: write({ name: 'all', files: { a: 'a' } }) });`);
    await watch.until('round-finished', { result: 'built' });
    await watch.end();
    const { status, stderr } = await project.run('watch', 'nothing');
    expect(status).toBe(2);
    expect(stderr).toContain('TARGET_UNKNOWN');
  });

  test('runs a command with each success, one at a time, and ends it with itself', async () => {
    const project = localProject();
    const log = join(project.folder, 'log');
    const command = `echo "began $(cat result/a)" >> '${log}'; trap 'echo "ended" >> "${log}"; exit' TERM; while :; do sleep 0.1; done`;
    const watch = await started(project, '--then', command);
    const said = async (text: string): Promise<void> => {
      while (!(existsSync(log) ? readFileSync(log, 'utf8') : '').endsWith(text))
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await said('began 1\n');
    writeFileSync(join(project.folder, 'source/a'), '2');
    await said('began 1\nended\nbegan 2\n');
    expect(await watch.end()).toBe(130);
    await said('began 1\nended\nbegan 2\nended\n');
    expect(processesWith(log)).toEqual([]);
  });

  test('tells how that command ended', async () => {
    const project = localProject();
    const watch = new StartedWatch(project.start('watch', 'all', '--json', '--then', 'exit 3').process);
    await watch.until('then-finished', { status: 3 });
    await watch.end();
    const plain = new StartedWatch(project.start('watch', 'all', '--then', 'exit 3').process);
    while (!plain.stderr.includes('status 3')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await plain.end()).toBe(130);
    expect(plain.stderr).toContain('waiting for changes');
  });

  test('keeps what it holds from garbage collection, and lets go of what it does not', async () => {
    const project = localProject();
    const watch = await started(project);
    for (const text of ['2', '3', '4']) {
      writeFileSync(join(project.folder, 'source/a'), text);
      await watch.until('round-finished', { result: 'built' });
      await watch.until('waiting');
    }
    for (const { name } of (await project.run('store', 'roots', '--json')).records())
      await project.run('store', 'roots', '--remove', String(name));
    const [gc] = (await project.run('store', 'gc', '--json')).records().filter(({ type }) => type === 'gc');
    expect(gc!['blobs']).toBe(3);
    expect(readFileSync(join(project.folder, 'result/a'), 'utf8')).toBe('4');
    writeFileSync(join(project.folder, 'source/a'), '5');
    await watch.until('round-finished', { result: 'built' });
    expect(readFileSync(join(project.folder, 'result/a'), 'utf8')).toBe('5');
    expect(await watch.end()).toBe(130);
  });

  test.skipIf(!mayLimit())('says what to set when this machine allows too few watches', () => {
    const project = localProject();
    for (let at = 0; at < 50; at++) {
      mkdirSync(join(project.folder, `source/${at}`));
      writeFileSync(join(project.folder, `source/${at}/a`), 'a');
    }
    const main = join(project.folder, 'node_modules/cairn-build/dist/cli/main.js');
    const { status, stderr } = spawnSync('unshare', [...limited, process.execPath, main, 'watch', 'all'], {
      cwd: project.folder,
      env: project.env,
      encoding: 'utf8',
    });
    expect(stderr).toContain('sysctl fs.inotify.max_user_watches');
    expect(status).toBe(1);
  });

  test('grows neither in memory nor in descriptors', async () => {
    const heapFile = join(tempFolder('heap'), 'heap');
    const project = localProject(
      programPart(`
        require('node:v8').setFlagsFromString('--expose-gc');
        const gc = require('node:vm').runInNewContext('gc');
        process.on('SIGUSR2', () => {
          gc();
          require('node:fs').writeFileSync('${heapFile}.new', String(process.memoryUsage().heapUsed));
          require('node:fs').renameSync('${heapFile}.new', '${heapFile}');
        });`),
    );
    const watch = await started(project);
    const sizes = async (): Promise<{ readonly heapBytes: number; readonly descriptors: number }> => {
      rmSync(heapFile, { force: true });
      watch.process.kill('SIGUSR2');
      while (!existsSync(heapFile)) await new Promise((resolve) => setTimeout(resolve, 20));
      const descriptors = readdirSync(`/proc/${watch.process.pid}/fd`).length;
      return { heapBytes: Number(readFileSync(heapFile, 'utf8')), descriptors };
    };
    const rounds = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to; at++) {
        writeFileSync(join(project.folder, 'source/a'), `round ${at}`);
        await watch.until('round-finished', { result: 'built' });
      }
      await watch.until('waiting');
    };
    await rounds(0, 50);
    const before = await sizes();
    await rounds(50, 150);
    const after = await sizes();
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
    // 10 kB a round would be some 100 MB after a week of saves.
    expect((after.heapBytes - before.heapBytes) / 100).toBeLessThan(10_000);
    expect(await watch.end()).toBe(130);
  });
});

/** Runs what follows as a user who may have 20 watches. */
const limited = ['-Ur', 'sh', '-c', 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh'];

function mayLimit(): boolean {
  return spawnSync('unshare', [...limited, 'true']).status === 0;
}

describe('a watch with commands in sandboxes', () => {
  const flake = `(() => {
    const source = localFolder({ name: 'source', path: './source' });
    return { all: command('all', 'cat /in/script > $out/script; . /in/script', { '/in': source }) };
  })()`;

  function start(script: string): { readonly project: CairnProject; readonly watch: StartedWatch } {
    const project = cairnProject({ ...busyboxFlake(flake), 'source/script': script });
    return { project, watch: new StartedWatch(project.start(['watch', 'all', '--json', '-o', 'result'])) };
  }

  test('gives up a build that is stale, and builds what is there then', async () => {
    const { project, watch } = start('echo one > $out/file; while :; do sleep 1; done');
    await watch.until('step-started', { name: 'all', kind: 'run' });
    project.write('source/script', 'echo two > $out/file');
    await watch.until('round-finished', { round: 1, result: 'cancelled' });
    await watch.until('round-finished', { round: 2, result: 'built' });
    expect(readFileSync(join(project.folder, 'result/file'), 'utf8')).toBe('two\n');
    expect(await watch.end()).toBe(130);
    expect(processesWith('while :; do sleep 1')).toEqual([]);
  });

  test('leaves a build alone when what was saved is nothing new to it', async () => {
    const { project, watch } = start(
      'until [ -e /dev/never ] || [ $((n += 1)) -gt 3 ]; do sleep 1; done; echo x > $out/file',
    );
    await watch.until('step-started', { name: 'all', kind: 'run' });
    const config = join(project.folder, 'flake-like.config.ts');
    appendFileSync(config, '\n// a remark\n');
    project.write('source/script', readFileSync(join(project.folder, 'source/script'), 'utf8'));
    await watch.until('round-finished', { round: 1, result: 'built' });
    expect(await watch.end()).toBe(130);
  });

  test('tries a build that failed again with the next save', async () => {
    const { project, watch } = start('exit 3');
    await watch.until('round-finished', { round: 1, result: 'failed' });
    project.write('source/script', 'exit 3');
    await watch.until('round-finished', { round: 2, result: 'failed' });
    project.write('source/script', 'echo good > $out/file');
    await watch.until('round-finished', { result: 'built' });
    rmSync(join(project.folder, 'source'), { recursive: true });
    await watch.until('problem', { code: 'SOURCE_MISSING' });
    project.write('source/script', 'echo better > $out/file');
    await watch.until('round-finished', { result: 'built' });
    expect(readFileSync(join(project.folder, 'result/file'), 'utf8')).toBe('better\n');
    expect(await watch.end()).toBe(130);
  });

  // The emulator is a script in the place of QEMU: it says what it is given for a kernel, and waits.
  const machineFlake = `(() => {
    const source = localFolder({ name: 'source', path: './source' });
    const texts = {
      'run.json': JSON.stringify({ machine: 'q35', cpu: 'max', memoryMb: 64, firmware: 'ovmf' }),
      'layout.json': JSON.stringify({ image: 'small', sizeBytes: 8192, parts: [{ file: 'root.part', offsetBytes: 0 }] }),
      'direct.json': JSON.stringify({ commandLine: 'quiet' }),
      'root.part': 'r'.repeat(4096),
    };
    const program = (text: string) => ({ text: '#!/bin/sh\\n' + text + '\\n', executable: true });
    const programs = write({ name: 'programs', files: {
      'usr/bin/qemu-img': program('exit 0'),
      'usr/bin/qemu-system-x86_64': program('echo "console: $(cat /parts/kernel)"; echo "asked: $*"; while :; do sleep 1; done'),
    } });
    return {
      small: write({ name: 'small', files: texts }),
      'small-direct': compose({ name: 'small-direct', parts: [write({ name: 'texts', files: texts }), source] }),
      emulator: compose({ name: 'emulator', parts: [{ input: from(shell, { subpath: 'bin' }), at: 'usr/bin' }, programs] }),
    };
  })()`;

  test.each([
    [['--memory', '1G'], '--memory means nothing without --run'],
    [['--run', '--append', 'quiet'], '--append means nothing without --direct'],
  ])('refuses what means nothing: %j', async (options, message) => {
    const { status, stderr } = await testProject(localFlake).run('watch', 'all', ...options);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('starts a machine with each result, and leaves it running when that is the same', async () => {
    const project = cairnProject({ ...busyboxFlake(machineFlake), 'source/kernel': 'one' });
    const machine = ['--append', 'debug', '--memory', '96M', '--processors', '3', '--ssh-port', '0'];
    const child = project.start(['watch', 'small', '--run', '--direct', ...machine]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.once('close', resolve));
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const said = async (words: string): Promise<void> => {
      while (!text.includes(words)) {
        if (child.exitCode !== null) throw new Error(`it ended: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await said('asked: ');
    const [, asked = ''] = /^asked: (.*)$/m.exec(text.replaceAll('\r', '')) ?? [];
    const [, port = ''] = /^ssh: port (\d+) of localhost$/m.exec(text) ?? [];
    for (const words of ['-m 96', '-smp 3', '-append quiet debug', `hostfwd=tcp:127.0.0.1:${port}-:22`])
      expect(asked).toContain(words);
    project.write('source/kernel', 'two');
    await said('console: two');
    const config = join(project.folder, 'flake-like.config.ts');
    writeFileSync(config, readFileSync(config, 'utf8').replaceAll("name: 'texts'", "name: 'other'"));
    await said('changed flake-like.config.ts');
    project.write('source/kernel', 'three');
    await said('console: three');
    expect(text.match(/console: /g)).toHaveLength(3);
    child.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(processesWith(project.store)).toEqual([]);
  });
});
