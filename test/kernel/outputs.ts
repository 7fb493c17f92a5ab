// What the tests and the benchmark of incremental kernels build: the kernel that is cut down, its device trees, and the boot
// partition of a Raspberry Pi with both.

import { bootPartition } from '../../derivations/images/boot-partition.ts';
import { raspberryPiBootFiles } from '../../derivations/firmware/boot-files.ts';
import { raspberryPiFirmware } from '../../derivations/firmware/raspberry-pi.ts';
import { createKernel, imageTools, kernelMenuTree, type Kernel } from '../../derivations/index.ts';
import { pinOf, type PinsByName } from '../../derivations/lib/pins.ts';
import { compose, from, unpackPin, type Output, type Run } from '../../engine/model/index.ts';
import { cutKernel, type Where } from './cut-kernel.ts';

/**
 * `source` as it was archived, and of the kernel that is cut down and of the images' own its code as `cut` and `shipped`, its
 * `-config` and what modules are made against as `-dev`, and where there are device trees its `-trees` and `-boot`; and what the kernel's own menus are made with.
 */
export function kernelTestOutputs({ pins, target }: Where): Readonly<Record<string, Output>> {
  const kernels = {
    cut: cutKernel({ pins, target }),
    shipped: createKernel({ pins, target, variant: 'standard' }),
  };
  return {
    source: unpackPin(pinOf(pins, 'linux')),
    'kernel-menu': kernelMenuTree(pins),
    ...Object.fromEntries(Object.entries(kernels).flatMap(([name, kernel]) => outputsOf(name, kernel, pins))),
  };
}

function outputsOf(name: string, kernel: Kernel, pins: PinsByName): readonly [string, Output][] {
  const { image, modules, symbols, commands, dev, dtbs, config, target } = kernel;
  const code: readonly [string, Output][] = [
    [name, compose({ name: `${kernel.name}-code`, parts: [image, modules, symbols, commands] })],
    [`${name}-config`, config.derivation],
    [`${name}-dev`, dev.derivation],
  ];
  if (target !== 'aarch64-linux') return code;
  const bootFile = from(boot(name, kernel, pins), { subpath: 'boot.part' });
  return [
    ...code,
    [`${name}-trees`, dtbs.derivation],
    [`${name}-boot`, compose({ name: `${name}-boot`, parts: [{ input: bootFile, at: 'boot.part' }] })],
  ];
}

/** boot.part */
function boot(image: string, kernel: Kernel, pins: PinsByName): Run {
  const content = raspberryPiBootFiles({ kernel, firmware: raspberryPiFirmware(pins) });
  return bootPartition(
    { role: 'boot', fileSystem: 'fat32', label: 'BOOT', slack: { bytes: 16e6 }, content },
    { image, target: 'aarch64-linux', tools: imageTools(pins) },
  );
}
