// What differs between targets: GNU name, ELF machine, hardening flags. Knows nothing of packages.

import type { Target } from '../../engine/model/index.ts';

export interface TargetFacts {
  /** The GNU name, which is also Debian's name of the library folder: `$target` in build scripts. */
  readonly triplet: string;
  /** As `readelf -h` names it. */
  readonly elfMachine: string;
  /** Control-flow protection has a name of its own on each processor. */
  readonly hardening: string;
  /**
   * How it shows in what was built: what `readelf -n` says of a program of which all parts have it, or the instruction that
   * is at each place that may be jumped to, as hex digits.
   */
  readonly protection: { readonly kind: 'note' | 'code'; readonly value: string };
  /** The kernel's name of the processor family. */
  readonly kernelArch: string;
}

export const targetFacts: Readonly<Record<Target, TargetFacts>> = {
  'aarch64-linux': {
    triplet: 'aarch64-linux-gnu',
    elfMachine: 'AArch64',
    hardening: '-mbranch-protection=standard',
    protection: { kind: 'note', value: 'BTI, PAC' },
    kernelArch: 'arm64',
  },
  'x86_64-linux': {
    triplet: 'x86_64-linux-gnu',
    elfMachine: 'Advanced Micro Devices X86-64',
    hardening: '-fcf-protection',
    // Debian's start files have no such note, so the linker gives none to what they are linked with.
    protection: { kind: 'code', value: 'f30f1efa' },
    kernelArch: 'x86',
  },
};
