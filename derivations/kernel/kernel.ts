// A kernel as others see it, and the steps it comes out of. Everything it needs to start is built in: no initrd, no modules.

import { compose, from, type CompileCacheSpec, type Input, type Target } from '../../engine/model/index.ts';
import { compileCache } from '../bootstrap/compile-cache.ts';
import { seedTree } from '../bootstrap/seed.ts';
import { sourcesOf, type PinsByName } from '../lib/pins.ts';
import { targetFacts } from '../lib/platform.ts';
import type { Component } from '../system/component.ts';
import { compileCode } from './compile-code.ts';
import { compileDebug } from './compile-debug.ts';
import { compileDeviceTrees } from './compile-device-trees.ts';
import { configure } from './configure.ts';
import type { Fragment, Option } from './fragment.ts';
import { incremental } from './make.ts';
import { lines, type Line } from './lines.ts';
import { kernelOptions } from './options.ts';
import { prepareModules } from './prepare-modules.ts';
import type { Variant } from './variant.ts';
import { kernelSource } from './source.ts';

export interface Kernel {
  /** Of its build, and of its output in the flake. */
  readonly name: string;
  readonly target: Target;
  /** Upstream's. */
  readonly version: string;
  /** A tree with one file, `kernel`: what firmware starts, as a UEFI program or (arm64) as a Raspberry Pi's kernel. */
  readonly image: Input;
  /** A tree for the root: usr/lib/modules/RELEASE with what programs ask there, and modules where a fragment has any. */
  readonly modules: Input;
  /** A tree of device trees, flat; empty for x86_64. */
  readonly dtbs: Input;
  /** A tree with one file, `config`: every option as it is. */
  readonly config: Input;
  /** A tree with System.map and Module.symvers. */
  readonly symbols: Input;
  /** A tree with one file, `commands`: how each of its objects came about. */
  readonly commands: Input;
  /** The same kernel as a debugger reads it: vmlinux and modules with DWARF, and GDB's scripts. Compiled for it once more. */
  readonly debug: Input;
  /** What modules of one's own are compiled against. */
  readonly dev: Input;
  readonly component: Component;
}

export interface KernelOptions {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly variant: Variant;
  /** Of which line of Linux; the long-term one when not given. */
  readonly line?: Line;
  /** Further options of one's own. */
  readonly fragments?: readonly Fragment[];
  /** With a compile cache, for this machine alone: false when not given. */
  readonly compileCache?: boolean;
}

/**
 * A kernel for one target.
 * @throws UserError `DERIVATION_INVALID` when two fragments want different things of one option.
 * @example createKernel({ pins, target: 'aarch64-linux', variant: 'rt' }).image
 */
export function createKernel(options: KernelOptions): Kernel {
  const { pins, target, variant, line = 'long-term', fragments = [] } = options;
  return buildKernel({
    name: `kernel${lines[line].suffix}${variant === 'standard' ? '' : `-${variant}`}`,
    pins,
    target,
    line,
    options: kernelOptions({ target, variant, line, further: fragments }),
    hasDeviceTrees: target === 'aarch64-linux',
    ...(options.compileCache !== undefined && { compileCache: options.compileCache }),
  });
}

export interface KernelBuild {
  readonly name: string;
  readonly pins: PinsByName;
  readonly target: Target;
  /** Of which line of Linux; the long-term one when not given. */
  readonly line?: Line;
  /** All that is asked for. */
  readonly options: readonly Option[];
  /** Whether it is for boards that are described by device trees. */
  readonly hasDeviceTrees: boolean;
  /** With a compile cache, for this machine alone: false when not given. */
  readonly compileCache?: boolean;
}

/**
 * A kernel of which nothing is decided here: `createKernel` makes those that images have.
 * @example buildKernel({ name: 'mine', pins, target, options: mergeFragments([mine]), hasDeviceTrees: false })
 */
export function buildKernel(kernel: KernelBuild): Kernel {
  const { name, pins, target, line = 'long-term', options, hasDeviceTrees } = kernel;
  const seed = seedTree(pins);
  const { tree: source, pin } = kernelSource(pins, line, seed);
  const configuration = configure({ name, target, seed, source, options });
  const toCompile = { name, target, seed, source, configuration };
  const build = compileCode({
    ...toCompile,
    compileCache: kernel.compileCache === true ? kernelCompileCache(pins, target) : undefined,
  });
  const dtbs = hasDeviceTrees
    ? compileDeviceTrees({ ...toCompile, name: `${name}-dtbs` })
    : compose({ name: 'no-device-trees', parts: [] });
  const { version } = pin;
  return {
    name,
    target,
    version,
    image: build.image,
    modules: build.modules,
    dtbs: from(dtbs),
    config: from(configuration.config),
    symbols: build.symbols,
    commands: build.commands,
    debug: from(compileDebug(toCompile, build)),
    dev: from(prepareModules(toCompile, build)),
    component: {
      name: 'linux',
      version,
      licence: 'GPL-2.0-only WITH Linux-syscall-note',
      sources: sourcesOf(pin),
      notices: compose({
        name: 'linux-notices',
        parts: [{ input: source, include: ['COPYING', 'LICENSES/**'] }],
      }),
      tree: compose({
        name: `${name}-files`,
        parts: [...[build.image, from(dtbs)].map((input) => ({ input, at: 'boot' })), build.modules],
      }),
    },
  };
}

/** Of the kernel's compiler, and of that for the programs which the kernel's build makes for itself. */
export function kernelCompileCache(pins: PinsByName, target: Target): CompileCacheSpec {
  const compilers = ['gcc', `${targetFacts[target].triplet}-gcc`];
  return compileCache(pins, { compilers, sources: incremental.sources });
}
