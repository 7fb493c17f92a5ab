// What the flake gives of firmware, by name.

import type { Output, Target } from '../../engine/model/index.ts';
import { createKernel } from '../kernel/kernel.ts';
import type { PinsByName } from '../lib/pins.ts';
import { raspberryPiBootFiles } from './boot-files.ts';
import { raspberryPiFirmware } from './raspberry-pi.ts';

/** `raspberry-pi-boot`, where the target is a Raspberry Pi's. */
export function firmwareOutputs({
  pins,
  target,
}: {
  readonly pins: PinsByName;
  readonly target: Target;
}): Readonly<Record<string, Output>> {
  if (target !== 'aarch64-linux') return {};
  const kernel = createKernel({ pins, target, variant: 'standard' });
  const derivation = raspberryPiBootFiles({ kernel, firmware: raspberryPiFirmware(pins) });
  return {
    'raspberry-pi-boot': { derivation, description: 'what a Raspberry Pi 3, 4 or 5 and UEFI start from' },
  };
}
