// The smallest image, from the kernel's sources to a shell that switches the machine off: what continuous integration has
// the time for. Everything that makes and starts the images of the package set makes and starts this one.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { DebuggerConnection } from '../support/debugger-connection.ts';
import { builtOutput, imageTestsConfig, runOwnCairn } from '../support/own-flake.ts';

/** What its shell says when it waits for a line. */
const prompt = /root@smallest:~# /;

describe('smallest', () => {
  let machine: EmulatedMachine;
  beforeAll(async () => {
    await builtOutput('smallest', imageTestsConfig);
    machine = await EmulatedMachine.start({ image: 'smallest', options: ['--config', imageTestsConfig] });
  });
  afterAll(() => machine.end());

  it('has a shell of root on the console that its kernel was told of', async () => {
    await machine.openShell(prompt);
    machine.report('shell');
    expect(await machine.shell('id -un; tty; uname -m; cat /proc/sys/kernel/hostname')).toEqual({
      status: 0,
      output: 'root\n/dev/ttyAMA0\naarch64\nsmallest',
    });
  });

  it('has found its root by the id of the partition, and put both file systems where they belong', async () => {
    const line = "grep -o 'root=[^ ]*' /proc/cmdline; awk '/^.dev.(vd|root)/ { print $2, $3 }' /proc/mounts";
    expect(await machine.shell(line)).toEqual({
      status: 0,
      output: 'root=PARTUUID=5a3c1f00-02\n/ ext4\n/boot vfat',
    });
  });

  it('has the owners and modes that its features say', async () => {
    const files = '/usr/bin/su /etc/shadow /root /tmp /etc/hostname';
    expect(await machine.shell(`stat -c '%a %U:%G %n' ${files}`)).toEqual({
      status: 0,
      output: [
        '4755 root:root /usr/bin/su',
        '640 root:shadow /etc/shadow',
        '700 root:root /root',
        '1777 root:root /tmp',
        '644 root:root /etc/hostname',
      ].join('\n'),
    });
  });

  it('protects links and fifos in folders that all may write to, and addresses of the kernel', async () => {
    const names = 'fs/protected_hardlinks fs/protected_symlinks fs/protected_fifos fs/protected_regular';
    expect(await machine.shell(`cd /proc/sys; cat ${names} kernel/kptr_restrict kernel/sysrq; cd`)).toEqual({
      status: 0,
      output: '1\n1\n1\n2\n1\n438',
    });
  });

  it.each(['', '/boot'])('can be written to: %s/', async (folder) => {
    const file = `${folder}/kept.txt`;
    expect(await machine.shell(`echo kept >${file} && sync && cat ${file}`)).toEqual({
      status: 0,
      output: 'kept',
    });
  });

  it('goes off by `poweroff`, and `cairn run` ends well', async () => {
    // Busybox has a program of that name itself.
    machine.type('/usr/sbin/poweroff');
    expect(await machine.switchedOff()).toBe(0);
  });
});

describe('smallest, handed its kernel', () => {
  const direct = ['run', 'smallest', '--direct', '--config', imageTestsConfig];

  it('needs nothing that its disk is made of', async () => {
    const ran = await runOwnCairn([
      'graph',
      'smallest-direct',
      '--format',
      'json',
      '--config',
      imageTestsConfig,
    ]);
    expect(ran.status, ran.stderr).toBe(0);
    const names = (JSON.parse(ran.stdout) as { nodes: { name: string }[] }).nodes.map(({ name }) => name);
    expect(names).toContain('smallest-root-partition');
    for (const name of ['smallest-boot-partition', 'smallest-disk', 'smallest-compressed', 'efi-boot'])
      expect(names).not.toContain(name);
  });

  it('has the same root at the same place, and a boot partition of its own', async () => {
    const options = ['--direct', '--append', 'cairn.test=1', '--config', imageTestsConfig];
    const machine = await EmulatedMachine.start({ image: 'smallest', options });
    onTestFinished(() => machine.end());
    await machine.openShell(prompt);
    machine.report('shell without firmware');
    const line =
      "cat /proc/cmdline; awk '/^.dev.(vd|root)/ { print $2, $3 }' /proc/mounts; ls /boot; test -e /sys/firmware/efi || echo no UEFI";
    expect(await machine.shell(line)).toEqual({
      status: 0,
      output: [
        'root=PARTUUID=5a3c1f00-02 rootwait rw console=tty0 console=ttyAMA0,115200 cairn.test=1',
        ...['/ ext4', '/boot vfat', 'started-directly.txt', 'no UEFI'],
      ].join('\n'),
    });
    expect(await machine.shell('echo kept >/kept.txt && sync && cat /kept.txt')).toMatchObject({ status: 0 });
  });

  it('has the memory and the processors that it is given', async () => {
    const given = ['--memory', '384M', '--processors', '3'];
    const options = ['--direct', ...given, '--config', imageTestsConfig];
    const machine = await EmulatedMachine.start({ image: 'smallest', options });
    onTestFinished(() => machine.end());
    await machine.openShell(prompt);
    const { output } = await machine.shell(
      "grep -c ^processor /proc/cpuinfo; awk '/^MemTotal/ { print $2 }' /proc/meminfo",
    );
    const [processors, memoryKib] = output.split(/\s+/).map(Number);
    expect(processors).toBe(3);
    // The kernel keeps some for itself; without --memory it is 256 MiB.
    expect(memoryKib! / 1024).toBeGreaterThan(256);
    expect(memoryKib! / 1024).toBeLessThanOrEqual(384);
  });

  it('is a test of what its console says', async () => {
    const words = ['--expect', 'Linux version', '--expect', 'root@smallest:~#', '--timeout', '300'];
    const ran = await runOwnCairn([...direct, ...words, '--json']);
    expect(ran.status, ran.stdout).toBe(0);
    const said = ran.events.filter(({ type }) => type === 'said').map(({ text }) => text);
    expect(said).toEqual(['Linux version', 'root@smallest:~#']);
  });

  it('has its disk made meanwhile when that is asked for', async () => {
    const ran = await runOwnCairn([...direct, '--compose', '--expect', 'root@smallest:~#', '--json']);
    expect(ran.status, ran.stdout).toBe(0);
    const types = ran.events.map(({ type }) => type);
    expect(types.lastIndexOf('console')).toBeLessThan(types.indexOf('target'));
    expect(ran.events.find(({ type }) => type === 'target')).toMatchObject({
      target: 'smallest@aarch64-linux',
      kind: 'tree',
    });
  });

  it('fails with the end of what it said instead', async () => {
    const words = ['--expect', 'login:', '--append', 'init=/bin/none'];
    const ran = await runOwnCairn([...direct, ...words]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(
      'error[EXPECT_FAILED] the console did not say "login:": it says "Kernel panic',
    );
    expect(ran.stdout).toContain('Linux version');
  });

  it('fails when the time is over, with what it said until then', async () => {
    const ran = await runOwnCairn([
      ...direct,
      '--expect',
      'what no kernel says',
      '--timeout',
      '60',
      '--json',
    ]);
    expect(ran.status).toBe(1);
    const { code, message } = ran.events.at(-1)!;
    expect(code).toBe('EXPECT_FAILED');
    expect(message).toMatch(
      /^the console did not say "what no kernel says": not within 1 m.* It said last:\n/,
    );
    expect(message).toContain('root@smallest:~#');
  });

  it('waits for a debugger, who finds the kernel about to start', async () => {
    const machine = await EmulatedMachine.start({
      image: 'smallest',
      options: ['--direct', '--gdb', '0', '--config', imageTestsConfig],
    });
    onTestFinished(() => machine.end());
    const { groups } = await machine.waitFor(/target remote :(\d+)/);
    const gdb = await DebuggerConnection.open(Number(groups[0]));
    // Why it stands still: a trap that nobody has set.
    expect(await gdb.ask('?')).toMatch(/^T05/);
    machine.requireAlive();
    gdb.tell('c');
    await machine.openShell(prompt);
    gdb.close();
  });
});
