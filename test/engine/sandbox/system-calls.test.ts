// What a step may ask of the kernel: the filter's program, run here instruction by instruction, and by the kernel.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemCallFilter } from '../../../engine/sandbox/system-calls.ts';
import { pythonFixture, type PythonFixture } from '../../support/python-tools.ts';
import { scriptRequest, textOf } from '../../support/sandbox-run.ts';

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
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= value ? ifTrue : ifFalse;
    else if (code === 0x06) return value === 0x7fff0000 ? 'allow' : value & 0xffff;
    else throw new Error(`no such instruction: ${code}`);
  }
}

describe('the filter', () => {
  it('lets through what every program does', () => {
    const usual = { read: 0, open: 2, mmap: 9, clone: 56, execve: 59, chmod: 90, statx: 332, clone3: 435 };
    for (const [name, number] of Object.entries(usual))
      expect([name, answer(number)]).toEqual([name, 'allow']);
  });

  it.each([
    ['keyrings', [248, 249, 250], 38],
    ['extended attributes, to be written, read and listed', [188, 191, 194, 197, 463, 465], 95],
    ['programs for the kernel, its counters and its page faults', [321, 298, 323], 38],
    ['mounts, old and new', [165, 166, 155], 1],
    ['mounts by the newer calls', [428, 429, 430, 442], 38],
    ['another kernel', [246, 320], 38],
    ['namespaces', [272, 308], 1],
    ['the clock', [164, 227, 159, 305], 1],
  ])('refuses %s', (_, numbers, error) => {
    expect(numbers.map((number) => answer(number))).toEqual(numbers.map(() => error));
  });

  it('knows sockets by their family, and ioctls by what they ask for', () => {
    expect([1, 2, 10, 16].map((family) => answer(41, [family]))).toEqual(Array(4).fill('allow'));
    expect([17, 38, 40, 31].map((family) => answer(41, [family]))).toEqual(Array(4).fill(97));
    expect(answer(16, [0, 0x5401])).toBe('allow');
    expect(answer(16, [0, 0x40086602])).toBe(95);
    expect(answer(16, [0, 0x5412])).toBe(1);
  });

  it('lets nothing through by another architecture’s numbers', () => {
    expect(answer(0, [], 0x40000003)).toBe(38);
    expect(answer(0x40000000)).toBe(38);
    expect(answer(0x40000000 + 188)).toBe(38);
  });
});

describe('in a sandbox', () => {
  let fixture: PythonFixture;
  beforeAll(async () => {
    fixture = await pythonFixture();
  });
  afterAll(() => fixture.close());

  const asked = `
import errno, os
def tried(name, call):
    try:
        call()
        print(name, 'worked')
    except OSError as error:
        print(name, errno.errorcode[error.errno])
open('/build/file', 'w').close()
tried('setxattr', lambda: os.setxattr('/build/file', 'user.note', b'x'))
tried('listxattr', lambda: os.listxattr('/build/file'))
tried('getxattr', lambda: os.getxattr('/usr', 'user.note'))
tried('unshare', lambda: os.unshare(os.CLONE_NEWUTS))
`;

  it('the kernel obeys it', async () => {
    const request = scriptRequest(fixture, '', {
      layers: [fixture.root, fixture.tools.digest],
      argv: ['/usr/bin/python3', '-c', asked],
    });
    expect(await textOf(fixture.executor, request)).toBe(
      'setxattr ENOTSUP\nlistxattr ENOTSUP\ngetxattr ENOTSUP\nunshare EPERM\n',
    );
  });

  it('what the machine is does not show in /proc', async () => {
    const shown =
      'cat /proc/cmdline /proc/keys /proc/cpuinfo /proc/meminfo /proc/version /proc/sys/kernel/random/boot_id';
    expect(await textOf(fixture.executor, scriptRequest(fixture, shown))).toBe(
      `processor\t: 0
model name\t: cairn

MemTotal:        1048576 kB
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
    expect(await textOf(fixture.executor, scriptRequest(fixture, written))).toMatch(/Read-only|denied/);
  });

  it('copies, archives and directory listings go on without attributes', async () => {
    const script =
      'mkdir d; echo x > d/a; cp -a d e; tar cf t d && tar xf t && ls -l e > /dev/null && cat e/a';
    expect(await textOf(fixture.executor, scriptRequest(fixture, script))).toBe('x\n');
  });
});
