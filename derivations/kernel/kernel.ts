// A kernel as others see it, and the step that builds it. Everything it needs to start is built in: no initrd, no modules.

import { compose, from, run, type Input, type Run, type Target } from '../../engine/model/index.ts';
import { seedTree } from '../bootstrap/seed.ts';
import { pinOf, sourcesOf, type PinsByName } from '../lib/pins.ts';
import type { Component } from '../system/component.ts';
import { configure } from './configure.ts';
import type { Fragment, Option } from './fragment.ts';
import { makeEnvironment, makeFunction } from './make.ts';
import { kernelOptions, type Variant } from './options.ts';
import { kernelSource } from './source.ts';

export interface Kernel {
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
  readonly component: Component;
}

export interface KernelOptions {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly variant: Variant;
  /** Further options of one's own. */
  readonly fragments?: readonly Fragment[];
}

/**
 * A kernel for one target.
 * @throws UserError `DERIVATION_INVALID` when two fragments want different things of one option.
 * @example createKernel({ pins, target: 'aarch64-linux', variant: 'rt' }).image
 */
export function createKernel({ pins, target, variant, fragments = [] }: KernelOptions): Kernel {
  return buildKernel({
    name: variant === 'standard' ? 'kernel' : `kernel-${variant}`,
    pins,
    target,
    options: kernelOptions({ target, variant, further: fragments }),
    hasDeviceTrees: target === 'aarch64-linux',
  });
}

export interface KernelBuild {
  readonly name: string;
  readonly pins: PinsByName;
  readonly target: Target;
  /** All that is asked for. */
  readonly options: readonly Option[];
  /** Whether it is for boards that are described by device trees. */
  readonly hasDeviceTrees: boolean;
}

/**
 * A kernel of which nothing is decided here: `createKernel` makes those that images have.
 * @example buildKernel({ name: 'mine', pins, target, options: mergeFragments([mine]), hasDeviceTrees: false })
 */
export function buildKernel({ name, pins, target, options, hasDeviceTrees }: KernelBuild): Kernel {
  const seed = seedTree(pins);
  const { tree: source, version } = kernelSource(pins, seed);
  const config = configure({ name, target, seed, source, options });
  const build: Run = run({
    name,
    target,
    layers: [seed],
    inputs: { '/source': source, '/config': config },
    env: { ...makeEnvironment(target), file: imageFiles[target] },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', buildScript],
    outputs: ['image', 'modules', 'dtbs'],
    mayBeEmpty: hasDeviceTrees ? [] : ['dtbs'],
    limits: { memoryBytes: 8 * 1024 ** 3 },
  });
  const output = (one: string): Input => from(build, { output: one });
  return {
    target,
    version,
    image: output('image'),
    modules: output('modules'),
    dtbs: output('dtbs'),
    config: from(config),
    component: {
      name: 'linux',
      version,
      licence: 'GPL-2.0-only WITH Linux-syscall-note',
      sources: sourcesOf(pinOf(pins, 'linux')),
      tree: compose({
        name: `${name}-files`,
        parts: [
          ...[output('image'), output('dtbs')].map((input) => ({ input, at: 'boot' })),
          output('modules'),
        ],
      }),
    },
  };
}

const imageFiles: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'arch/arm64/boot/Image',
  'x86_64-linux': 'arch/x86/boot/bzImage',
};

const buildScript = `${makeFunction}
cp /config/config .config
chmod u+w .config
kmake olddefconfig
cmp .config /config/config
kmake \${file##*/} modules
cp "$file" "$image/kernel"
chmod 644 "$image/kernel"
kmake modules_install INSTALL_MOD_PATH="$modules/usr"
rm -f "$modules"/usr/lib/modules/*/{build,source}
if [ "$ARCH" = arm64 ]; then
  kmake dtbs
  find arch/arm64/boot/dts -name '*.dtb' -exec cp {} "$dtbs" \\;
fi
`;
