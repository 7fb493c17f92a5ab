// The target's C library from Debian's packages, twice: with headers for compilers (the sysroot), and as programs need
// it when running. Merged /usr: bin, lib and sbin are links, because libc.so names its parts in /lib.

import {
  compose,
  composePackages,
  write,
  type Derivation,
  type Pin,
  type Target,
} from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';
import { targetFacts } from '../lib/platform.ts';

/** C library, kernel headers and libgcc_s of the target: what is at /target in every build. */
export function sysrootTree(pins: PinsByName, target: Target): Derivation {
  const { triplet, kernelArch } = targetFacts[target];
  const others = [
    `usr/include/{!(${triplet.replace('-linux-gnu', '')})-linux-gnu*,*-linux-gnu?*}`,
    `usr/lib/linux/uapi/!(${kernelArch})`,
  ];
  const input = composePackages(`sysroot-files-${target}`, pinsOf(pins, `sysroot-${target}`));
  return compose({
    name: `sysroot-${target}`,
    parts: [{ input, exclude: ['usr/share', 'usr/lib/*/{gconv,audit}', ...others] }, mergedUsr(target)],
  });
}

/** C library and libgcc_s of the target as programs need them. The tables of iconv are left out: 8 MB few ask for. */
export function libcTree(pins: PinsByName, target: Target): Derivation {
  const running = pinsOf(pins, `sysroot-${target}`).filter(({ name }) =>
    ['libc6', 'libgcc-s1'].includes(name),
  );
  const input = composePackages(`libc-files-${target}`, running);
  const exclude = ['usr/share', 'usr/lib/*/{gconv,audit}'];
  return compose({ name: `libc-${target}`, parts: [{ input, exclude }, mergedUsr(target)] });
}

/** C.UTF-8, which is the same for both targets: the form depends on the order of bytes in a word alone. */
export function localeTree(pins: PinsByName): Derivation {
  const input = composePackages('locale-files', localePins(pins));
  return compose({ name: 'locale', parts: [{ input, include: ['usr/lib/locale/C.utf8/**'] }] });
}

/** The package it is from. */
export function localePins(pins: PinsByName): readonly Pin[] {
  return pinsOf(pins, 'seed').filter(({ name }) => name === 'libc-bin');
}

/** The links of a merged /usr. */
export function mergedUsr(target: Target): Derivation {
  const folders = ['bin', 'lib', 'sbin', ...(target === 'x86_64-linux' ? ['lib64'] : [])];
  return write({
    name: `merged-usr-${target}`,
    files: Object.fromEntries(folders.map((folder) => [folder, { symlink: `usr/${folder}` }])),
  });
}
