// What a step may ask of the kernel: the filter's program, run here instruction by instruction, and by the kernel.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemCallFilter } from '../../../engine/sandbox/system-calls.ts';
import type { Executor } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { allowedProcessors } from '../../../engine/sandbox/processors.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, textOf } from '../../support/sandbox-run.ts';
import { probeAnswers, probeProgram, type Call } from '../../support/system-call-probe.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const x86_64 = 0xc000003e;

/** What the program answers, as the kernel would run it: 'allow', or the error's number. */
function answer(number: number, args: readonly number[] = [], architecture = x86_64): 'allow' | number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [at, value] of args.entries()) data.writeUInt32LE(value >>> 0, 16 + 8 * at);
  const program = systemCallFilter();
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const [code, ifTrue, ifFalse, value] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else if (code === 0x06) return value === 0x7fff0000 ? 'allow' : value & 0xffff;
    else throw new Error(`no such instruction: ${code}`);
  }
}

describe('the filter', () => {
  it('lets through what every program does', () => {
    const usual = {
      read: 0,
      open: 2,
      mmap: 9,
      execve: 59,
      chmod: 90,
      statx: 332,
      openat2: 437,
      faccessat2: 439,
    };
    for (const [name, number] of Object.entries(usual))
      expect([name, answer(number)]).toEqual([name, 'allow']);
  });

  it('lets through new processes and threads, but no new namespaces', () => {
    const flags = { process: 0x01200011, thread: 0x3d0f00, spawned: 0x4111 };
    for (const [name, value] of Object.entries(flags))
      expect([name, answer(56, [value])]).toEqual([name, 'allow']);
    for (const namespace of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
      expect([namespace, answer(56, [namespace | 0x11])]).toEqual([namespace, 1]);
  });

  it('knows sockets by their family, and netlink by its protocol', () => {
    for (const call of [41, 53]) {
      expect([1, 2, 10].map((family) => answer(call, [family, 1, 0]))).toEqual(Array(3).fill('allow'));
      expect([17, 38, 40, 31].map((family) => answer(call, [family, 1, 0]))).toEqual(Array(4).fill(97));
      expect(answer(call, [16, 3, 0])).toBe('allow');
      expect([4, 9, 15, 16, 21].map((protocol) => answer(call, [16, 3, protocol]))).toEqual(
        Array(5).fill(93),
      );
    }
  });

  it('lets through requests to terminals and sockets, and none to file systems', () => {
    const usual = [0x5401, 0x541b, 0x5421, 0x5451, 0x80045430, 0x802c542a, 0x8912];
    expect(usual.map((request) => answer(16, [0, request]))).toEqual(usual.map(() => 'allow'));
    const pushing = [0x5412, 0x541c, 0x5423];
    expect(pushing.map((request) => answer(16, [0, request]))).toEqual(pushing.map(() => 1));
  });

  it('lets nothing through by another architecture’s numbers, or by numbers newer than it knows', () => {
    expect(answer(0, [], 0x40000003)).toBe(38);
    expect(answer(0, [], 0xc00000b7)).toBe(38);
    expect(answer(0x40000000)).toBe(38);
    expect(answer(0x40000000 + 188)).toBe(38);
    for (const number of [441, 447, 463, 469, 470, 600]) expect(answer(number)).toBe(38);
  });
});

/** What a step asks, and the error it gets. */
const refusedCalls: Readonly<Record<string, readonly [error: number, ...calls: Call[]]>> = {
  keyrings: [38, [248, 'user', 'x', 'y', 1, -3], [249, 'user', 'x', 0, -3], [250, 0, -3, 0], [250, 1, 0]],
  'attributes and access lists of files': [
    95,
    [188, '/build', 'user.note', 'x', 1, 0],
    [189, '/build', 'system.posix_acl_default', 'x', 1, 0],
    [191, '/usr', 'user.note', Buffer.alloc(8), 8],
    [194, '/usr', Buffer.alloc(8), 8],
    [197, '/build', 'user.note'],
  ],
  'flags, versions, extents, labels, projects and clones of files': [
    25,
    ...[0x80086601, 0x40086602, 0x80046601, 0x40046602, 0x80087601, 0x40087602, 0x80047601, 0x40047602].map(
      (request): Call => [16, 0, request, Buffer.alloc(8)],
    ),
    ...[0x80086603, 0x40086604, 0xc020660b, 0x40806685, 0x801c581f, 0x401c5820, 0x81009431, 0x40049409].map(
      (request): Call => [16, 0, request, Buffer.alloc(512)],
    ),
    ...[0xc0189436, 0x80111500, 0x5000940e, 0x2].map((request): Call => [16, 0, request, Buffer.alloc(4096)]),
  ],
  'mounts, old': [1, [165, 'none', '/tmp', 'tmpfs', 0, ''], [166, '/tmp', 0], [155, '/', '/'], [161, '/tmp']],
  'mounts, new': [
    38,
    [428, -100, '/tmp', 1],
    [429, -1, '', -100, '/tmp', 4],
    [430, 'tmpfs', 0],
    [431, -1, 6, 0, 0, 0],
    [432, -1, 0, 0],
    [433, -100, '/', 0],
    [442, -100, '/', 0, Buffer.alloc(32), 32],
    [457, Buffer.alloc(24), Buffer.alloc(512), 512, 0],
  ],
  namespaces: [1, [272, 0x10000000], [272, 0x20000], [56, 0x10000011, 0], [308, 0, 0]],
  'processes by flags that lie in memory': [38, [435, Buffer.alloc(88), 88]],
  io_uring: [38, [425, 1, Buffer.alloc(120)], [426, -1, 0, 0, 0, 0, 0], [427, -1, 0, 0, 0]],
  'programs for the kernel, its counters and its page faults': [
    38,
    [321, 5, Buffer.alloc(128), 128],
    [298, Buffer.alloc(128), 0, -1, -1, 0],
    [323, 1],
  ],
  'another kernel, and modules': [38, [246, 0, 0, 0, 0], [320, -1, -1, 0, '', 0]],
  'the clock, the host’s name, swap and restart': [
    1,
    [164, Buffer.alloc(16), 0],
    [227, 0, Buffer.alloc(16)],
    [159, Buffer.alloc(208)],
    [305, 0, Buffer.alloc(208)],
    [170, 'other', 5],
    [171, 'other', 5],
    [167, '/tmp/x', 0],
    [168, '/tmp/x'],
    [169, 0, 0, 0, 0],
    [163, '/tmp/x'],
    [103, 3, Buffer.alloc(64), 64],
    [175, Buffer.alloc(8), 8, ''],
  ],
  'ports, and files by their handles': [
    1,
    [172, 3],
    [173, 0, 1, 1],
    [303, -100, '/', Buffer.alloc(64), Buffer.alloc(8), 0],
    [304, -100, Buffer.alloc(64), 0],
  ],
  'quotas, watching a whole file system, memory’s places, other processes’ files': [
    38,
    [179, 0x80000700, '', 0, Buffer.alloc(64)],
    [443, 0, 0, 0, 0],
    [300, 0, 0],
    [239, Buffer.alloc(8), Buffer.alloc(128), 1024, 0, 0],
    [279, 0, 0, Buffer.alloc(8), 0, Buffer.alloc(8), 0],
    [438, 0, 0, 0],
    [312, 1, 1, 0, 0, 0],
  ],
  'sockets but for this machine’s own': [
    97,
    [41, 17, 3, 0],
    [41, 38, 5, 0],
    [41, 40, 1, 0],
    [53, 40, 1, 0, Buffer.alloc(8)],
  ],
  'netlink but for routes': [93, [41, 16, 3, 9], [41, 16, 3, 15], [41, 16, 3, 16], [41, 16, 3, 21]],
  'personalities that change where memory lies or what may run': [1, [135, 0x400000], [135, 0x4000000]],
};

describe('in a sandbox', () => {
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

  const answersTo = async (calls: readonly Call[], options = {}): Promise<number[]> => {
    const batch = fixture.store.begin();
    const node = {
      kind: 'blob',
      executable: true,
      digest: batch.addBytes(probeProgram(calls, options), true),
    } as const;
    await batch.commit();
    const request = scriptRequest(fixture, '/probe > $out/answers < /build', {
      inputs: [{ path: '/probe', node }],
    });
    const { result, text } = await execute(executor, request);
    if (result.kind !== 'succeeded') throw new Error(text);
    const folder = result.outputs['out']!;
    const answers =
      folder.kind === 'tree' ? fixture.store.trees.get(folder.digest)?.get('answers') : undefined;
    if (answers?.kind !== 'blob') throw new Error('the probe wrote nothing');
    return probeAnswers(Buffer.from(await fixture.store.blobs.read(answers.digest)));
  };

  /** Whether this machine's kernel answers a harmless call through it, outside any sandbox. */
  const has32BitEntry = (): boolean => {
    const path = join(tempFolder('probe'), 'probe');
    writeFileSync(path, probeProgram([[20]], { by32Bits: true }), { mode: 0o755 });
    return spawnSync(path).signal === null;
  };

  it.each(Object.entries(refusedCalls))('the kernel refuses %s', async (_, [error, ...calls]) => {
    expect(await answersTo(calls)).toEqual(calls.map(() => -error));
  });

  it('the kernel answers what is harmless, such as which process this is and which personality it has', async () => {
    const [process, personality, netlink] = await answersTo([[39], [135, 0xffffffff], [41, 16, 3, 0]]);
    expect(process).toBeGreaterThan(0);
    expect(personality).toBe(0);
    expect(netlink).toBeGreaterThan(2);
  });

  it('the kernel takes nothing through its other entries: 32-bit programs, and x32', async () => {
    const calls: readonly Call[] = [[20], [5, 0], [188, 0]];
    const answers = answersTo(calls, { by32Bits: true });
    // There are kernels without that entry: whoever uses it is killed, here as outside.
    if (has32BitEntry()) expect(await answers).toEqual([-38, -38, -38]);
    else await expect(answers).rejects.toThrow();
    expect(await answersTo([[0x40000000 + 39]])).toEqual([-38]);
  });

  it('what the machine is does not show in /proc', async () => {
    const shown =
      'cat /proc/cmdline /proc/keys /proc/cpuinfo /proc/meminfo /proc/version /proc/sys/kernel/random/boot_id';
    expect(await textOf(executor, scriptRequest(fixture, shown))).toBe(
      `${allowedProcessors()
        .map((_, at) => `processor\t: ${at}\nmodel name\t: cairn\n\n`)
        .join('')}MemTotal:        1048576 kB
MemFree:          524288 kB
MemAvailable:     786432 kB
Buffers:               0 kB
Cached:           262144 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Linux version 5.10.0 (cairn)
00000000-0000-4000-8000-000000000000
`,
    );
    const written = 'for f in /proc/cmdline /proc/cpuinfo /proc/meminfo; do echo x > $f; done 2>&1; true';
    expect(await textOf(executor, scriptRequest(fixture, written))).toMatch(/Read-only|denied/);
  });

  it('copies, archives and directory listings go on without attributes', async () => {
    const script =
      'mkdir d; echo x > d/a; cp -a d e; tar cf t d && tar xf t && ls -l e > /dev/null && cat e/a';
    expect(await textOf(executor, scriptRequest(fixture, script))).toBe('x\n');
  });
});
