// The programs that make disks, as a layer above the seed: mke2fs, mkfs.fat, mtools, sfdisk and their checkers.

import { compose, composePackages, type Derivation } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

// mtools puts short names into the characters of old PCs; the seed's C library knows none of these.
const characters = '{gconv-modules,gconv-modules.d/*,IBM850.so}';
// What the seed's Python lacks for writing archives.
const pythonModules = '{tarfile,shutil}.py';

/** The layer. */
export function diskTools(pins: PinsByName): Derivation {
  const input = composePackages('disk-tools-packages', pinsOf(pins, 'disk-tools'));
  // mke2fs.conf is left out: an image has one of its own.
  const include = [
    'usr/{bin,sbin}/*',
    'usr/lib/x86_64-linux-gnu/*.so*',
    `usr/lib/x86_64-linux-gnu/gconv/${characters}`,
    `usr/lib/python3.*/${pythonModules}`,
  ];
  return compose({ name: 'disk-tools', parts: [{ input, include }] });
}
