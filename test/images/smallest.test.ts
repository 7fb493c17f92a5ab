// The smallest image, from the kernel's sources to a shell that switches the machine off: what continuous integration has
// the time for. Everything that makes and starts the images of the package set makes and starts this one.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';

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
