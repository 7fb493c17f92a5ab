// The package set's public face: what a flake imports as "cairn-build/derivations".

import type { Output, Target } from '../engine/model/index.ts';
import { bootstrap } from './bootstrap/index.ts';
import { shellTree } from './bootstrap/shell.ts';
import { emulatorTree } from './emulator/emulator.ts';
import { helloContainer } from './images/container-image.ts';
import { imageOutputs } from './images/images.ts';
import { lsb } from './images/lsb.ts';
import { firmwareOutputs } from './firmware/outputs.ts';
import { kernelMenuTree } from './kernel/menu.ts';
import { kernelOutputs } from './kernel/outputs.ts';
import type { BuiltPackage } from './lib/built-package.ts';
import { createPackageSet, type PackageSet, type PackageSetOptions } from './lib/package-set.ts';
import type { PinsByName } from './lib/pins.ts';
import { cards } from './packages/index.ts';

export { bootstrap, type Bootstrap } from './bootstrap/index.ts';
export { compileCache, compileCacheTool } from './bootstrap/compile-cache.ts';
export { sandboxTool } from './bootstrap/sandbox.ts';
export { shellTree } from './bootstrap/shell.ts';
export { containerImage, type ContainerImage } from './images/container-image.ts';
export { imageTools } from './images/disk-tools.ts';
export type { BootPartition, Disk, Partition, RootPartition, Slack } from './images/disk.ts';
export { firstBootFiles } from './images/first-boot-files.ts';
export { createImage, outputsOfImage, type Image, type ImageSpec, type Machine } from './images/image.ts';
export { extendImage, type ExtendOptions, type ImageExtension } from './images/extend-image.ts';
export { imageOutputs, imageSpecs, type ImageOptions } from './images/images.ts';
export { lsb } from './images/lsb.ts';
export { emulatorTree } from './emulator/emulator.ts';
export { inputs } from './inputs.ts';
export type { Fragment } from './kernel/fragment.ts';
export { createKernel, type Kernel, type KernelOptions } from './kernel/kernel.ts';
export { kernelModule, withModules, type KernelModule } from './kernel/kernel-module.ts';
export { kernelMenuTree } from './kernel/menu.ts';
export { autotools, script, type Autotools, type Build, type Script } from './lib/build.ts';
export type { BuiltPackage } from './lib/built-package.ts';
export { createPackageSet, type PackageSet, type PackageSetOptions } from './lib/package-set.ts';
export { debianSource, definePackage, type Gives, type Needs, type Package } from './lib/package.ts';
export { targetFacts, type TargetFacts } from './lib/platform.ts';
export { cards } from './packages/index.ts';
export * from './system/index.ts';

/**
 * All packages for one target; `overrides` change single cards.
 * @example createPackages({ pins, target, overrides: { sed: (sed) => ({ ...sed, patches: [fix] }) } }).sed.out
 */
export function createPackages(options: PackageSetOptions<typeof cards>): PackageSet<typeof cards> {
  return createPackageSet(cards, options);
}

/**
 * What the flake of this repository gives, by name: every package, what has a `dev` output as `NAME-dev`, `lsb`, and the
 * trees everything is built from.
 */
export function packageOutputs({
  pins,
  target,
}: {
  readonly pins: PinsByName;
  readonly target: Target;
}): Readonly<Record<string, Output>> {
  const packages = createPackages({ pins, target });
  const built: readonly BuiltPackage[] = Object.values(packages);
  const { seed, sysroot, libc, locale } = bootstrap({ pins, target });
  return {
    ...Object.fromEntries(built.flatMap(outputsOfPackage)),
    lsb: {
      derivation: lsb({ packages: built, libc, locale }),
      description: 'the whole userland as one target root',
    },
    ...kernelOutputs({ pins, target }),
    ...firmwareOutputs({ pins, target }),
    shell: { derivation: shellTree(pins), description: 'a small root for scripts: a shell, and no compiler' },
    seed: { derivation: seed, description: 'the prebuilt tools that everything is built with' },
    sysroot: { derivation: sysroot, description: 'the C library and headers that packages are linked with' },
    libc: { derivation: libc, description: 'the C library as programs need it' },
    'hello-container': {
      derivation: helloContainer({ seed, sysroot, target }),
      description: 'a container image that says hello',
    },
    'kernel-menu': {
      derivation: kernelMenuTree(pins),
      description: "what the kernel's own menus are made and shown with, beside the seed",
    },
    emulator: { derivation: emulatorTree(pins), description: 'QEMU and UEFI firmware, to start images in' },
    ...imageOutputs({ pins, target, packages }),
  };
}

function outputsOfPackage({ card, out, dev }: BuiltPackage): [string, Output][] {
  return [[card.name, out], ...(dev ? [[`${card.name}-dev`, dev] as [string, Output]] : [])];
}
