// Everything prebuilt that packages are built from and checked against, out of the pins. Each tree has its own file.

import type { Derivation, Target } from '../../engine/model/index.ts';
import { lazily } from '../lib/lazily.ts';
import type { PinsByName } from '../lib/pins.ts';
import { cxxTree } from './cxx.ts';
import { debianLibraries } from './debian-libraries.ts';
import { seedTree } from './seed.ts';
import { libcTree, localeTree, sysrootTree } from './sysroot.ts';

export interface Bootstrap {
  /** The root of every build: compilers for both targets and what configure scripts and makefiles call. */
  readonly seed: Derivation;
  /** The C++ compilers: a layer above the seed. */
  readonly cxx: Derivation;
  /** The C library of the target with its headers: what is at /target. */
  readonly sysroot: Derivation;
  /** The C library as a program of the target needs it. */
  readonly libc: Derivation;
  /** The one locale that there is beside C: C.UTF-8. */
  readonly locale: Derivation;
  /** Debian's own builds of our libraries, to compare symbols with. Never part of a target. */
  readonly debian: Derivation;
}

/** @example bootstrap({ pins, target: 'aarch64-linux' }).seed */
export function bootstrap({
  pins,
  target,
}: {
  readonly pins: PinsByName;
  readonly target: Target;
}): Bootstrap {
  return lazily<Bootstrap>({
    seed: () => seedTree(pins),
    cxx: () => cxxTree(pins),
    sysroot: () => sysrootTree(pins, target),
    libc: () => libcTree(pins, target),
    locale: () => localeTree(pins),
    debian: () => debianLibraries(pins, target),
  });
}
