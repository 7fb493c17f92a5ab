// The programs that make disks, as layers above the seed: mke2fs, mkfs.fat, sfdisk and their checkers; and mtools, for
// who looks at what was made.

import { compose, composePackages, type Derivation } from '../../engine/model/index.ts';
import { seedTree } from '../bootstrap/seed.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';
import { pythonByteCode } from '../lib/python-byte-code.ts';
import type { Tools } from './program.ts';

// mtools puts short names into the characters of old PCs; the seed's C library knows none of these.
const characters = '{gconv-modules,gconv-modules.d/*,IBM850.so}';
// What the seed's Python lacks for writing archives.
const pythonModules = '{tarfile,shutil}.py';

/**
 * What the steps of images run in. Python's modules are compiled once here, and not at the start of each step.
 * @example createImage(spec, imageTools(pins))
 */
export function imageTools(pins: PinsByName, seed: Derivation = seedTree(pins)): Tools {
  const tools = diskTools(pins);
  const include = ['usr/lib/python3.*/**/*.py'];
  const parts = [seed, tools].map((input) => ({ input, include }));
  const modules = compose({ name: 'image-python-modules', parts });
  return [seed, tools, pythonByteCode(modules, { seed, target: 'x86_64-linux' })];
}

/** The layer with the programs alone. */
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
