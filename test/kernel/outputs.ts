// What the tests and the benchmark of incremental kernels build: the kernel that is cut down, its device trees, and the boot
// partition of a Raspberry Pi with both.

import { bootPartition } from '../../derivations/images/boot-partition.ts';
import { raspberryPiBootFiles } from '../../derivations/firmware/boot-files.ts';
import { raspberryPiFirmware } from '../../derivations/firmware/raspberry-pi.ts';
import { imageTools, type Kernel } from '../../derivations/index.ts';
import { pinOf, type PinsByName } from '../../derivations/lib/pins.ts';
import { compose, from, unpackPin, type Output, type Run } from '../../engine/model/index.ts';
import { cutKernel, type Where } from './cut-kernel.ts';

/** `cut`, `cut-config`, `source` as it was archived, and where there are device trees `cut-trees` and `cut-boot`. */
export function cutOutputs({ pins, target }: Where): Readonly<Record<string, Output>> {
  const kernel = cutKernel({ pins, target });
  const { image, modules, dtbs, config } = kernel;
  return {
    cut: compose({ name: 'kernel-cut-code', parts: [image, modules] }),
    'cut-config': config.derivation,
    source: unpackPin(pinOf(pins, 'linux')),
    ...(target === 'aarch64-linux' && {
      'cut-trees': dtbs.derivation,
      'cut-boot': from(boot(kernel, pins), { subpath: 'boot.part' }),
    }),
  };
}

/** boot.part */
function boot(kernel: Kernel, pins: PinsByName): Run {
  const content = raspberryPiBootFiles({ kernel, firmware: raspberryPiFirmware(pins) });
  return bootPartition(
    { role: 'boot', fileSystem: 'fat32', label: 'BOOT', slack: { bytes: 16e6 }, content },
    { image: 'cut', target: 'aarch64-linux', tools: imageTools(pins) },
  );
}
