// A debugger at the real kernel: what `NAME-debug` says of a function is where the machine that was booted stops. And a module
// of one's own, made against the same kernel, is loaded by name.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DebuggerConnection } from '../support/debugger-connection.ts';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';

const execute = promisify(execFile);
const prompt = /root@smallest:~# /;
const config = ['--config', imageTestsConfig];

/** The number of aarch64's program counter in GDB's protocol: 32, in hex digits. */
const programCounter = '20';

function addressIn(systemMap: string, name: string): bigint {
  const [, digits] = new RegExp(`^([0-9a-f]{16}) T ${name}$`, 'm').exec(systemMap) ?? [];
  if (digits === undefined) throw new Error(`System.map has no ${name}`);
  return BigInt(`0x${digits}`);
}

describe('a kernel for debuggers', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await builtOutput('kernel-smallest-debug', imageTestsConfig);
    await builtOutput('smallest-direct', imageTestsConfig);
  });

  it('is the one that is booted: it stops where System.map says that a function is', async () => {
    const machine = await EmulatedMachine.start({
      image: 'smallest',
      options: ['--direct', '--gdb', '0', ...config],
    });
    onTestFinished(() => machine.end());
    const { groups } = await machine.waitFor(
      /cairn path kernel-smallest-debug@aarch64-linux.*target remote :(\d+)/,
    );
    const gdb = await DebuggerConnection.open(Number(groups[0]));
    const address = addressIn(readFileSync(join(folder, 'System.map'), 'utf8'), 'start_kernel');
    expect(await gdb.ask(`Z1,${address.toString(16)},4`)).toBe('OK');
    expect(await gdb.ask('c')).toMatch(/^T05/);
    const counter = Buffer.from(await gdb.ask(`p${programCounter}`), 'hex').readBigUInt64LE();
    expect(counter.toString(16)).toBe(address.toString(16));
    expect(await gdb.ask(`z1,${address.toString(16)},4`)).toBe('OK');
    gdb.tell('c');
    await machine.openShell(prompt);
    gdb.close();
  });

  it('has lines of the sources, and names their files by a path that is the same on every machine', async () => {
    const address = addressIn(readFileSync(join(folder, 'System.map'), 'utf8'), 'start_kernel');
    const seed = await builtOutput('seed@x86_64-linux');
    const libraries = join(seed, 'usr/lib/x86_64-linux-gnu');
    const { stdout } = await execute(join(seed, 'usr/lib64/ld-linux-x86-64.so.2'), [
      ...['--library-path', libraries, join(seed, 'usr/bin/aarch64-linux-gnu-addr2line')],
      ...['--functions', '--exe', join(folder, 'vmlinux'), address.toString(16)],
    ]);
    expect(stdout).toMatch(/^start_kernel\n\/source\/init\/main\.c:\d+$/m);
  });

  it('comes with the kernel’s own scripts, where a debugger looks for them', () => {
    expect(readFileSync(join(folder, 'vmlinux-gdb.py'), 'utf8')).toContain('scripts/gdb');
    expect(readFileSync(join(folder, 'scripts/gdb/linux/constants.py'), 'utf8')).toContain('LX_SB_RDONLY');
  });
});

it('a module of one’s own is found by its name and says hello', async () => {
  await builtOutput('smallest-hello-direct', imageTestsConfig);
  const machine = await EmulatedMachine.start({ image: 'smallest-hello', options: ['--direct', ...config] });
  onTestFinished(() => machine.end());
  await machine.openShell(prompt);
  expect(
    await machine.shell('busybox modprobe hello; busybox dmesg | grep -o "hello, here is a module"'),
  ).toEqual({
    status: 0,
    output: 'hello, here is a module',
  });
});
