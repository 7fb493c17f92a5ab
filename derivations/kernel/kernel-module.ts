// Modules that are not part of the kernel's sources: each is a step of its own, made against what a kernel's `dev` has, and a
// kernel with some is the same kernel with another tree of modules. Knows no module.

import { from, run, type InputLike, type Run } from '../../engine/model/index.ts';
import { seedTree } from '../bootstrap/seed.ts';
import type { PinsByName } from '../lib/pins.ts';
import type { Kernel } from './kernel.ts';
import kernelModuleScript from './kernel-module.sh';
import { makeEnvironment } from './make.ts';
import withModulesScript from './with-modules.sh';

export interface KernelModule {
  /** Of the step; what is made is named by its Kbuild. */
  readonly name: string;
  readonly pins: PinsByName;
  /** Of which kernel; one that has other symbols or another configuration needs another module. */
  readonly kernel: Kernel;
  /** A tree with a Kbuild, or a Makefile that is one. */
  readonly source: InputLike;
}

/**
 * A tree for the root with a module of one's own: usr/lib/modules/RELEASE/updates/NAME.ko.
 * @example kernelModule({ name: 'hello', pins, kernel, source: localFolder({ name: 'hello', path: './hello' }) })
 */
export function kernelModule({ name, pins, kernel, source }: KernelModule): Run {
  return run({
    name: `${name}-for-${kernel.name}`,
    target: kernel.target,
    layers: [seedTree(pins)],
    inputs: { '/kernel': kernel.dev, '/module': source },
    env: makeEnvironment(kernel.target),
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', kernelModuleScript],
  });
}

/**
 * The same kernel with further modules in its tree of modules, which programs find by name (`modprobe`).
 * @example withModules(kernel, { pins, modules: { hello: kernelModule({ name: 'hello', pins, kernel, source }) } }).modules
 */
export function withModules(
  kernel: Kernel,
  { pins, modules }: { readonly pins: PinsByName; readonly modules: Readonly<Record<string, InputLike>> },
): Kernel {
  const added = Object.entries(modules).map(([name, module]) => [`/added/${name}`, module] as const);
  const all = run({
    name: `${kernel.name}-modules`,
    target: kernel.target,
    layers: [seedTree(pins)],
    inputs: { '/modules': kernel.modules, '/symbols': kernel.symbols, ...Object.fromEntries(added) },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', withModulesScript],
  });
  return { ...kernel, modules: from(all) };
}
