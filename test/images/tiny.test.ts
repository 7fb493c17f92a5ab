// The smallest image: nothing but our own userland, a shell on the console, and two partitions.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { builtOutput } from '../support/own-flake.ts';

/** What its shell says when it waits for a line. */
const prompt = /root@tiny:~# /;

describe('tiny', () => {
  let machine: EmulatedMachine;
  beforeAll(async () => {
    await builtOutput('tiny');
    machine = await EmulatedMachine.start({ image: 'tiny' });
  });
  afterAll(() => machine.end());

  it('has a shell of root on its console', async () => {
    await machine.openShell(prompt);
    machine.report('shell');
    expect(await machine.shell('id --user --name; tty')).toEqual({ status: 0, output: 'root\n/dev/ttyAMA0' });
  });

  it.each<readonly [string, string]>([
    ["printf 'b\\na\\n' | sort | sed 's/^/- /'", '- a\n- b'],
    ["awk 'BEGIN { print 6 * 7 }'", '42'],
    ['grep --count ^root: /etc/passwd', '1'],
    ["find /etc -name hostname -exec cat '{}' +", 'tiny'],
    ['tar --create --directory /etc passwd | tar --list | gzip | gzip -d', 'passwd'],
    ['diff /etc/hostname /etc/hostname && uname --machine', 'aarch64'],
    ['ps -o comm= 1', 'init'],
    ['printf ä | wc --chars; locale_of=${LANG:-none}; echo $locale_of', '1\nC.UTF-8'],
    ['LANG=de_DE.UTF-8 bash -lc "printf ä | wc --chars; echo \\$LANG"', '1\nC.UTF-8'],
    ["LC_ALL=C bash -lc 'printf ä | wc --chars'", '2'],
    [
      "(cd /proc/sys && cat fs/protected_{hardlinks,symlinks,fifos,regular} kernel/{kptr_restrict,sysrq}) | tr '\\n' ' '",
      '1 1 1 2 1 438',
    ],
    [
      'useradd --create-home ann && echo 0123456789 | passwd --stdin ann >said && stat -c %a /home/ann',
      '700',
    ],
    ["grep --count '^ann:[$]y[$]' /etc/shadow", '1'],
  ])('can do: %s', async (line, output) => {
    expect(await machine.shell(line)).toEqual({ status: 0, output });
  });

  it.each(['', 'LANG=', 'LANG=C', 'LANG=C.UTF-8', 'LANG=de_DE.UTF-8', 'LC_ALL=xx_YY'])(
    'has an interactive shell where the environment says "%s"',
    async (setting) => {
      machine.forget();
      machine.type(`${setting} bash -i`);
      await machine.openShell(prompt);
      expect(await machine.shell('echo $((6 * 7)) in shell $SHLVL')).toEqual({
        status: 0,
        output: '42 in shell 2',
      });
      machine.forget();
      machine.type('exit');
      await machine.waitFor(prompt);
    },
  );

  it.each([
    ['/', 'ext4'],
    ['/boot', 'vfat'],
  ])('keeps at %s what is written to it, as %s', async (folder, fileSystem) => {
    const file = `${folder}/kept.txt`;
    expect(
      await machine.shell(`findmnt -n -o FSTYPE ${folder} && echo kept >${file} && sync && cat ${file}`),
    ).toEqual({
      status: 0,
      output: `${fileSystem}\nkept`,
    });
  });

  it('starts again by `reboot`, and has what was written', async () => {
    machine.forget();
    machine.type('reboot');
    await machine.startsAgain();
    await machine.openShell(prompt);
    machine.report('second shell');
    expect(await machine.shell('cat /kept.txt /boot/kept.txt')).toEqual({ status: 0, output: 'kept\nkept' });
    expect(
      await machine.shell('dmesg | grep -E "recovery complete|not properly unmounted|I/O error"'),
    ).toEqual({
      status: 1,
      output: '',
    });
  });

  it('goes off by `poweroff`, and `cairn run` ends well', async () => {
    machine.type('poweroff');
    expect(await machine.switchedOff()).toBe(0);
  });
});
