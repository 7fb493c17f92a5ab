// What a step is held to: limits that are the same on every machine, memory that has a bound, processes that have a number.

import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { countsByNamespace, tasksCountedBy } from '../../../engine/sandbox/kernel.ts';
import { mostTasks } from '../../../engine/sandbox/limits.ts';
import { preamble } from '../../../engine/sandbox/preamble.ts';
import { allowedProcessors } from '../../../engine/sandbox/processors.ts';
import { mostTasksInKernel, stepLimits } from '../../../engine/sandbox/resource-limits.ts';
import { skipWithout } from '../../support/needs.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, textOf } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let fixture: SandboxFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await sandboxFixture();
  executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
});
afterAll(async () => {
  await executor.close();
  await fixture.close();
});

const written = (script: string): Promise<string> => textOf(executor, scriptRequest(fixture, script));

test('limits are the same on every machine', async () => {
  // But for the older kernels, where it would hold all that this user runs.
  const most = tasksCountedBy() === 'user' ? 32_768 : mostTasksInKernel;
  expect(await written("sed -n 's/  */ /g; s/ $//; 2,$ p' /proc/self/limits"))
    .toBe(`Max cpu time unlimited unlimited seconds
Max file size unlimited unlimited bytes
Max data size unlimited unlimited bytes
Max stack size 8388608 unlimited bytes
Max core file size 0 0 bytes
Max resident set unlimited unlimited bytes
Max processes ${most} ${most} processes
Max open files 1024 4096 files
Max locked memory 65536 65536 bytes
Max address space unlimited unlimited bytes
Max file locks unlimited unlimited locks
Max pending signals 4096 4096 signals
Max msgqueue size 819200 819200 bytes
Max nice priority 0 0
Max realtime priority 0 0
Max realtime timeout unlimited unlimited us
`);
});

test('where this process is held to less, so is a step', () => {
  const own = 'Max open files            256                  300                  files     \n';
  const { limits } = stepLimits(own);
  expect(limits.get(7)).toEqual({ soft: 300n, hard: 300n });
  expect(limits.get(8)).toEqual({ soft: 65_536n, hard: 65_536n });
});

test('processes are held to the limit, where the kernel can count those of a step by themselves', () => {
  const own = 'Max processes             500                  2000                 processes \n';
  const less = { soft: 2000n, hard: 2000n };
  const wall = { soft: BigInt(mostTasksInKernel), hard: BigInt(mostTasksInKernel) };
  expect(stepLimits('', 'namespace')).toMatchObject({ ownCount: { most: wall } });
  expect(stepLimits('', 'namespace').limits.get(6)).toEqual({ soft: 32_768n, hard: 32_768n });
  expect(stepLimits(own, 'namespace')).toMatchObject({ ownCount: { most: less } });
  expect(stepLimits('', 'user').ownCount).toBeUndefined();
  expect(stepLimits('', 'nobody').limits.get(6)).toEqual(wall);
  expect(mostTasksInKernel).toBeGreaterThan(mostTasks);
});

test('which kernels count by user namespaces', () => {
  const kernels = [
    '4.18.0-553.el8',
    '5.10.0-30-amd64',
    '5.13.19',
    '5.14.0-1.el9',
    '5.15-wsl',
    '6.1.0',
    '10.0',
  ];
  expect(kernels.filter((kernel) => countsByNamespace(kernel))).toEqual(kernels.slice(3));
});

test('the kernel counts the processes of one sandbox, whatever else its user runs', async (context) => {
  skipWithout(context, countsByNamespace() ? undefined : 'this kernel counts what a user runs as a whole');
  // Root is held to nothing.
  const nobody = 65_534;
  const [uid, gid] = process.geteuid!() === 0 ? [nobody, nobody] : [process.geteuid!(), process.getegid!()];
  const most = { soft: 20n, hard: 20n };
  const program = join(tempFolder('preamble'), 'program');
  const bytes = preamble({
    limits: new Map(),
    processors: allowedProcessors(),
    ownCount: { most, uid, gid },
  });
  writeFileSync(program, bytes, { mode: 0o555 });
  chmodSync(dirname(program), 0o755);
  const script = 'for i in $(seq 40); do sleep 2 > /dev/null 2>&1 & echo $i; done';
  const one = async (): Promise<unknown> => {
    // The shell ends when it can make no more.
    const ended = promisify(execFile)(program, ['/bin/sh', '-c', script], { uid, gid });
    return ended.catch((error: unknown) => (error as { stdout: string }).stdout.trim().split('\n').at(-1));
  };
  expect(await Promise.all([one(), one()])).toEqual(['19', '19']);
});

test('processors are counted alike, however a step asks', async () => {
  const count = allowedProcessors().length;
  expect(await written('nproc; grep -c ^processor /proc/cpuinfo; grep -c ^cpu[0-9] /proc/stat')).toBe(
    `${count}\n${count}\n${count}\n`,
  );
});

test('a list of processors is read as the kernel writes it', () => {
  expect(allowedProcessors('Cpus_allowed_list:\t0-2,5,64-65\n')).toEqual([0, 1, 2, 5, 64, 65]);
});

test('settings of the kernel are those of any machine, and what is another each time still is', async () => {
  expect(await written('cat /proc/sys/kernel/hostname /proc/sys/kernel/pid_max; ls /proc/sys')).toBe(
    'cairn\n32768\nfs\nkernel\nnet\nvm\n',
  );
  const [one, other] = (await written('cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/uuid')).split(
    '\n',
  );
  expect(one).toMatch(/^[0-9a-f-]{36}$/);
  expect(other).not.toBe(one);
});

test('shared memory has a bound, and nothing else of /dev takes any', async () => {
  const script = `dd if=/dev/zero of=/dev/shm/file bs=1M count=65 2>/dev/null; wc -c < /dev/shm/file
stat -c %a /dev/shm; echo x > /dev/file || echo refused; echo x > /dev/null && ls /dev/fd/ > /dev/null && echo usable`;
  expect(await written(`{ ${script}; } 2>/dev/null`)).toBe('67108864\n1777\nrefused\nusable\n');
});

test('a step that only multiplies is ended, and the one beside it succeeds', async () => {
  // Its 4,095 processes are more than it may have, and less than what would take this machine's numbers from other tests.
  const bomb = scriptRequest(
    fixture,
    'multiply() { if [ $1 -gt 1 ]; then multiply $(($1 - 1)) & multiply $(($1 - 1)) & fi; exec sleep 1000; }; multiply 12',
    { name: 'bomb' },
  );
  const [ended, good] = await Promise.all([
    execute(executor, bomb),
    execute(
      executor,
      scriptRequest(fixture, 'for i in $(seq 200); do /bin/true; done; echo good > $out/file'),
    ),
  ]);
  expect(ended.result).toMatchObject({
    kind: 'failed',
    reason: { kind: 'processes', limitCount: mostTasks },
    message: `bomb had more processes than its limit of ${mostTasks}`,
  });
  expect(good.result.kind, good.text).toBe('succeeded');
});
