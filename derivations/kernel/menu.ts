// What the kernel's own menus (menuconfig, nconfig) are compiled and shown with, beside the seed: ncurses. A tree of its
// own, so that nothing that is built depends on it. The libraries of the same source in the seed are the same version.

import { composePackages, type Derivation, type InputDeclaration } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';
import { trixie } from '../lib/suites.ts';

/** The input of `kernelMenuTree`. */
export const kernelMenuInputs = {
  'kernel-menu': {
    kind: 'debian-packages',
    ...trixie,
    architecture: 'amd64',
    packages: ['libncurses-dev', 'ncurses-base'],
    without: ['libc6', 'libc6-dev', 'libtinfo6', 'ncurses-bin'],
  },
} as const satisfies Readonly<Record<string, InputDeclaration>>;

/** The tree that a flake with kernels gives as its output `kernel-menu`. */
export function kernelMenuTree(pins: PinsByName): Derivation {
  return composePackages('kernel-menu', pinsOf(pins, 'kernel-menu'));
}
