// The Raspberry Pi's firmware out of its pinned package: what its graphics processor runs before it starts a kernel.

import { compose, composePackages, from, type ComposePartSpec } from '../../engine/model/index.ts';
import { pinOf, sourcesOf, type PinsByName } from '../lib/pins.ts';
import type { Component } from '../system/component.ts';
import { firmwareFiles } from './boards.ts';

/**
 * The firmware's files, flat, as they are in the boot folder, with the licence that has to go where they go. Their
 * variants for cameras, screens and debugging are left out.
 */
export function raspberryPiFirmware(pins: PinsByName): Component {
  const pin = pinOf(pins, 'raspberry-pi-firmware');
  const files = composePackages('raspberry-pi-firmware-files', [pin]);
  const firmware: ComposePartSpec = {
    input: from(files, { subpath: 'usr/lib/raspi-firmware' }),
    include: Object.values(firmwareFiles).flat(),
  };
  const licence: ComposePartSpec = {
    input: from(files, { subpath: 'usr/share/doc/raspi-firmware/copyright' }),
    at: 'LICENCE.broadcom',
  };
  return {
    name: 'raspberry-pi-firmware',
    version: pin.version,
    licence: 'LicenseRef-Broadcom-Raspberry-Pi',
    sources: sourcesOf(pin),
    notices: licence.input,
    tree: compose({ name: 'raspberry-pi-firmware', parts: [firmware, licence] }),
  };
}
