// What is in the boot partition beside a person's own files: the kernel under the names that firmware looks for, and for a
// Raspberry Pi its firmware, device trees and settings. Trees only; which file system they go to is not known here.

import { compose, write, type Derivation, type Input } from '../../engine/model/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Component } from '../system/component.ts';
import { boards } from './boards.ts';
import { efiPrograms } from './efi-programs.ts';
import { cmdlineTxt, configTxt, usualConfig, type ConfigSection } from './config-txt.ts';

/** The boot folder of a machine with UEFI: the kernel is its own boot loader. */
export function efiBootFiles(kernel: Kernel): Derivation {
  const at = efiPrograms[kernel.target];
  return compose({ name: 'efi-boot', parts: [{ input: imageFile(kernel), at }] });
}

export interface RaspberryPiBoot {
  readonly kernel: Kernel;
  /** From `raspberryPiFirmware`. */
  readonly firmware: Component;
  /** config.txt; `usualConfig` when not given. */
  readonly config?: readonly ConfigSection[];
  /** Further words of Linux's command line. */
  readonly commandLine?: readonly string[];
}

/**
 * The boot folder of a Raspberry Pi 3, 4 or 5, which starts on a machine with UEFI, too: both start the same file.
 * @example raspberryPiBootFiles({ kernel: createKernel({ pins, target, variant: 'rt' }), firmware })
 */
export function raspberryPiBootFiles({
  kernel,
  firmware,
  config = usualConfig,
  commandLine = [],
}: RaspberryPiBoot): Derivation {
  const settings = write({
    name: 'raspberry-pi-settings',
    files: { 'config.txt': configTxt(config), 'cmdline.txt': cmdlineTxt(commandLine) },
  });
  return compose({
    name: 'raspberry-pi-boot',
    parts: [
      firmware.tree,
      settings,
      { input: kernel.dtbs, include: boards.map(({ deviceTree }) => deviceTree) },
      efiBootFiles(kernel),
    ],
  });
}

function imageFile(kernel: Kernel): Input {
  return { ...kernel.image, subpath: 'kernel' };
}
