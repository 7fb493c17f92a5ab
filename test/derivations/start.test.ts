// What a server does at its start before it serves: its disk is checked, its clock set, and what a person wrote is there
// before what reads it. The programs are run as a shell runs them, with others in place of those that they call.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { persistentJournal, systems, type Feature } from '../../derivations/system/index.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';
import { tempFolder } from '../support/temp-folder.ts';

const described = Object.entries(systems('aarch64-linux'));
const servers = described.filter(([name]) => name !== 'tiny');

/** The text of a file that features make. */
function fileOf(features: readonly Feature[], path: string): string {
  const file = mergeFeatures('test', features).files[path];
  if (typeof file === 'string') return file;
  if (file === undefined || !('text' in file)) throw new Error(`no feature makes the file ${path}`);
  return file.text;
}
const serverFile = (path: string): string => fileOf(systems('aarch64-linux').rpi.features, path);

interface Played {
  readonly said: string;
  /** What was called, each with its words. */
  readonly calls: readonly string[];
}

/** Runs a script with stand-ins for programs: lines of shell by name. Absolute paths that it reads are below `root`. */
function play(
  script: string,
  standIns: Readonly<Record<string, string>>,
  root: (folder: string) => void = () => undefined,
): Played {
  const folder = tempFolder('start');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  root(folder);
  writeFileSync(join(folder, 'calls'), '');
  for (const [name, line] of Object.entries(standIns))
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>${folder}/calls\n${line}\n`, {
      mode: 0o755,
    });
  const text = script.replaceAll(
    /(?<=[ ="(])\/(proc\/cmdline|sys\/class|usr\/lib|var\/lib)/g,
    `${folder}/$1`,
  );
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
  const said = execFileSync('/bin/sh', ['-c', text], { encoding: 'utf8', env });
  const calls = readFileSync(join(folder, 'calls'), 'utf8').split('\n').slice(0, -1);
  return { said, calls: calls.map((call) => call.replaceAll(folder, '').trim()) };
}

describe('the root file system', () => {
  it.each(servers)('%s is checked at every start, before it is written to', (_, { fstab, features }) => {
    expect(fstab.find(({ where }) => where === '/')?.check).toBe('first');
    const unit = 'etc/systemd/system/systemd-fsck-root.service.d/50-always.conf';
    expect(fileOf(features, unit)).toBe(
      '[Unit]\nConditionPathIsReadWrite=\n\n[Service]\nExecStart=\nExecStart=/usr/lib/cairn/check-root\n',
    );
  });

  it('tiny has nothing to check with, and does not say that it checks', () => {
    const { fstab, features } = systems('aarch64-linux').tiny;
    expect(fstab.map(({ check }) => check)).toEqual([undefined, undefined]);
    expect(features.flatMap(({ prebuilt }) => prebuilt ?? [])).toEqual([]);
  });

  const check = (statuses: string, { mount = 0, words = 'rw' } = {}): Played =>
    play(
      serverFile('usr/lib/cairn/check-root'),
      {
        mountpoint: 'echo 0:0',
        readlink: 'echo /sys/devices/block/mmcblk0/mmcblk0p2',
        mount: `exit ${mount}`,
        e2fsck: `case "$1" in ${statuses} esac`,
        systemctl: 'exit 0',
      },
      (folder) => {
        mkdirSync(join(folder, 'proc'));
        writeFileSync(join(folder, 'proc/cmdline'), `console=tty0 ${words}\n`);
      },
    );
  const preened = 'e2fsck -p /dev/mmcblk0p2';
  const mended = 'e2fsck -y /dev/mmcblk0p2';
  const restarted = 'systemctl --force --force reboot';

  it.each<[string, string, readonly string[]]>([
    ['in order is looked at', '-p) exit 0 ;;', [preened]],
    ['with something to mend is mended, and started from anew', '-p) exit 3 ;;', [preened, restarted]],
    [
      'with more than e2fsck mends unasked is mended all the same',
      '-p) exit 4 ;; -y) exit 3 ;;',
      [preened, mended, restarted],
    ],
    ['that stays broken is started from', '-p) exit 4 ;; -y) exit 4 ;;', [preened, mended]],
    ['that stays broken is not started from for ever', '-p) exit 6 ;; -y) exit 6 ;;', [preened, mended]],
    ['without a checker is started from', '-p) exit 127 ;;', [preened]],
  ])('%s', (_, statuses, after) => {
    const { calls } = check(statuses);
    expect(calls.slice(0, 2).map((call) => call.split(' ')[0])).toEqual(['mountpoint', 'readlink']);
    // The kernel does not come back from starting anew; where it cannot, the root is written to all the same.
    expect(calls.slice(2)).toEqual(['mount -o remount,ro /', ...after, 'mount -o remount,rw /']);
  });

  it('that is in use already is not checked, and says so', () => {
    const { calls, said } = check('-p) exit 0 ;;', { mount: 32 });
    expect(calls).not.toContain(preened);
    expect(said).toContain('not checked this time');
  });

  it('is left alone when the command line says so', () => {
    expect(check('-p) exit 0 ;;', { words: 'rw fsck.mode=skip' }).calls).toEqual([]);
  });
});

it.each(described)('%s runs nothing from its boot partition, and makes no device there', (_, { fstab }) => {
  const options = fstab.find(({ where }) => where === '/boot')!.options.split(',');
  expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec', 'umask=0077']));
});

describe('the journal', () => {
  it.each(servers)('%s keeps it in memory, as long as nobody makes a folder for it', (_, { features }) => {
    const { folders, files } = mergeFeatures('test', features);
    expect(Object.keys(folders)).not.toContain('var/log/journal');
    expect(Object.keys(files).filter((path) => path.includes('journald.conf'))).toEqual([]);
  });

  it('is on the disk, and bounded, with a feature', () => {
    const { features } = systems('aarch64-linux').rpi;
    const { folders, files, groups } = mergeFeatures('test', [...features, persistentJournal]);
    expect(folders['var/log/journal']).toEqual({ mode: '2755', group: 'systemd-journal' });
    expect(groups.map(({ name }) => name)).toContain('systemd-journal');
    expect(files['usr/lib/systemd/journald.conf.d/50-persistent.conf']).toBe(
      '[Journal]\nStorage=persistent\nSystemMaxUse=64M\n',
    );
  });
});

describe('what a person wrote', () => {
  const after = (unit: string): readonly string[] =>
    unit.split('\n').flatMap((line) => (line.startsWith('After=') ? line.slice(6).trim().split(/ +/) : []));

  it.each([
    ['rpi', 'docker.service', '/var/lib/docker'],
    ['rpi', 'docker.socket', undefined],
    ['rpi', 'containerd.service', '/var/lib/containerd'],
    ['rpi-containerd', 'containerd.service', '/var/lib/containerd'],
  ] as const)('in %s is there before %s starts, mounts among it', (image, unit, folder) => {
    const text = fileOf(systems('aarch64-linux')[image].features, `etc/systemd/system/${unit}`);
    // The stage of cloud-init that writes files and mounts disks.
    expect(after(text)).toContain('cloud-init-network.service');
    expect(serverFile('etc/cloud/cloud.cfg')).toMatch(/cloud_init_modules: \[.*write-files, mounts,/);
    if (folder !== undefined) expect(text.split('\n')).toContain(`RequiresMountsFor=${folder}`);
  });
});

describe('the clock', () => {
  const floor = 1_000_000_000;
  const put = (folder: string, path: string, text: string): string => {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const setAt = (now: number, known?: number): readonly string[] =>
    play(
      serverFile('usr/lib/cairn/clock-floor'),
      { date: `if [ "$1" = +%s ]; then echo ${now}; fi` },
      (folder) => {
        put(folder, 'usr/lib/cairn/clock-floor.seconds', `${floor}\n`);
        if (known !== undefined) utimesSync(put(folder, 'var/lib/systemd/timesync/clock', ''), known, known);
      },
    ).calls.filter((call) => call.includes('--set'));

  it('is not before the newest package, nor before what the machine last knew', () => {
    expect(setAt(0)).toEqual([`date --set @${floor}`]);
    expect(setAt(floor + 10)).toEqual([]);
    expect(setAt(0, floor + 5)).toEqual([`date --set @${floor + 5}`]);
    expect(setAt(0, floor - 5)).toEqual([`date --set @${floor}`]);
    expect(setAt(floor + 10, floor + 5)).toEqual([]);
  });

  const waitsFor = (rtc?: number): readonly string[] =>
    play(serverFile('usr/lib/cairn/wait-for-time'), { timeout: 'exit 0' }, (folder) => {
      put(folder, 'usr/lib/cairn/clock-floor.seconds', `${floor}\n`);
      if (rtc !== undefined) put(folder, 'sys/class/rtc/rtc0/since_epoch', `${rtc}\n`);
    }).calls;

  it('is waited for, with a limit, where no clock has gone on while the machine was off', () => {
    const waited = ['timeout 30 /usr/lib/systemd/systemd-time-wait-sync'];
    expect(waitsFor()).toEqual(waited);
    expect(waitsFor(0)).toEqual(waited);
    expect(waitsFor(floor + 1)).toEqual([]);
  });

  it.each(servers)("%s waits before a person's own commands, and starts when nobody answers", (_, system) => {
    const { enabled } = mergeFeatures('test', system.features);
    // cloud-final.service, which runs the commands, comes after time-sync.target, which this unit comes before.
    expect(enabled['systemd-time-wait-sync.service']).toBe('multi-user.target');
    expect(enabled['clock-floor.service']).toBe('sysinit.target');
    expect(
      fileOf(system.features, 'etc/systemd/system/systemd-time-wait-sync.service.d/50-limit.conf'),
    ).toContain('After=systemd-timesyncd.service\n\n[Service]\nExecStart=\nExecStart=-/usr/lib/cairn/wait-');
  });
});

describe('AppArmor', () => {
  it.each(servers)(
    'in %s is there for whoever claims it: Docker, with the program that loads profiles',
    (_, system) => {
      const names = system.features.map(({ name }) => name);
      expect(names.includes('AppArmor')).toBe(names.includes('docker'));
      expect(system.features.flatMap(({ prebuilt }) => prebuilt ?? []).includes('apparmor')).toBe(
        names.includes('docker'),
      );
    },
  );
});
