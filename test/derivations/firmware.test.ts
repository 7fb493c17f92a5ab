// The boot folder of a Raspberry Pi: its settings as text, and what is in it.

import { describe, expect, it } from 'vitest';
import { efiBootFiles, raspberryPiBootFiles } from '../../derivations/firmware/boot-files.ts';
import { boards } from '../../derivations/firmware/boards.ts';
import { cmdlineTxt, configTxt, usualConfig } from '../../derivations/firmware/config-txt.ts';
import { raspberryPiFirmware } from '../../derivations/firmware/raspberry-pi.ts';
import type { Kernel } from '../../derivations/kernel/kernel.ts';
import { from, UserError, write, type Target } from '../../engine/model/index.ts';
import { filesOf } from '../support/composed-files.ts';
import { pins } from '../support/package-set.ts';

function tree(name: string, files: Readonly<Record<string, string>>) {
  return from(write({ name, files }));
}

function kernelOf(target: Target): Kernel {
  const dtbs = [...boards.map(({ deviceTree }) => deviceTree), 'bcm4908-router.dtb'];
  const image = tree('image', { kernel: 'the kernel' });
  return {
    name: 'kernel',
    target,
    version: '6.12.1',
    image,
    modules: tree('modules', {}),
    dtbs: tree('dtbs', Object.fromEntries(dtbs.map((name) => [name, name]))),
    config: tree('config', { config: '' }),
    symbols: tree('symbols', {}),
    commands: tree('commands', {}),
    debug: tree('debug', {}),
    dev: tree('dev', {}),
    component: { name: 'linux', version: '6.12.1', licence: 'GPL-2.0-only', sources: [], tree: image },
  };
}

const firmware = { ...kernelOf('aarch64-linux').component, tree: tree('firmware', { 'start4.elf': 'gpu' }) };

function failure(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'nothing was wrong';
}

describe('config.txt', () => {
  it('says what is set for which boards, and why', () => {
    const text = configTxt([
      ...usualConfig,
      { board: 'pi4', reason: 'A fan.', settings: { dtoverlay: 'fan' } },
    ]);
    expect(text).toContain(
      '\n[all]\n# One 64-bit kernel for all boards, with the device trees that come with it.\n',
    );
    expect(text).toContain('arm_64bit=1\nkernel=EFI/BOOT/BOOTAA64.EFI\nupstream_kernel=1\n');
    expect(text).toMatch(/\n\[pi4\]\n# A fan\.\ndtoverlay=fan\n$/);
    expect(text.split('\n').filter((line) => line.length > 98)).toEqual([]);
  });

  it('has no setting that the firmware would cut off', () => {
    const settings = { dtoverlay: 'x'.repeat(100) };
    expect(failure(() => configTxt([{ board: 'all', reason: '', settings }]))).toContain('98 characters');
  });
});

describe('cmdline.txt', () => {
  it('is one line with the root, the consoles and what else is wanted', () => {
    expect(cmdlineTxt(['quiet'])).toBe(
      'console=tty0 console=ttyAMA10,115200 console=ttyS1,115200 root=PARTUUID=5a3c1f00-02 rootwait rw quiet\n',
    );
    expect(failure(() => cmdlineTxt(['a\nb']))).toContain('it is one line');
  });
});

describe('a boot folder', () => {
  it('of a Raspberry Pi has firmware, settings, its device trees, and one kernel for the Pi and for UEFI', () => {
    const files = filesOf(raspberryPiBootFiles({ kernel: kernelOf('aarch64-linux'), firmware }));
    expect(Object.keys(files).sort()).toEqual(
      [
        ...['EFI/BOOT/BOOTAA64.EFI', 'cmdline.txt', 'config.txt', 'start4.elf'],
        ...boards.map(({ deviceTree }) => deviceTree),
      ].sort(),
    );
    expect(files['EFI/BOOT/BOOTAA64.EFI']).toBe('the kernel');
  });

  it('of a PC is the kernel alone', () => {
    expect(filesOf(efiBootFiles(kernelOf('x86_64-linux')))).toEqual({ 'EFI/BOOT/BOOTX64.EFI': 'the kernel' });
  });
});

it('the firmware says where it comes from and under which licence', () => {
  const component = raspberryPiFirmware(pins);
  expect(component.version).toMatch(/^1\.2/);
  expect(component.licence).toBe('LicenseRef-Broadcom-Raspberry-Pi');
  expect(component.sources[0]).toMatchObject({ url: expect.stringContaining('non-free-firmware') as string });
});
