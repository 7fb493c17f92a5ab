// What the flake gives of kernels, by name, for people who want one alone.

import { compose, type Output, type Target } from '../../engine/model/index.ts';
import type { PinsByName } from '../lib/pins.ts';
import { createKernel, type Kernel } from './kernel.ts';
import type { Variant } from './options.ts';

/** `kernel`, `kernel-rt` and `kernel-tiny`, and their configurations as `kernel-config` and so on. */
export function kernelOutputs({
  pins,
  target,
}: {
  readonly pins: PinsByName;
  readonly target: Target;
}): Readonly<Record<string, Output>> {
  const named = (name: string, variant: Variant, what: string): readonly [string, Output][] => {
    const kernel = createKernel({ pins, target, variant });
    const linux = `Linux ${kernel.version}`;
    return [
      [
        name,
        {
          derivation: files(name, kernel),
          description: `${linux}, ${what}: kernel, device trees, configuration`,
        },
      ],
      [
        `${name}-config`,
        { derivation: kernel.config.derivation, description: `the configuration of ${name}` },
      ],
    ];
  };
  return Object.fromEntries([
    ...named('kernel', 'standard', 'everything built in'),
    ...named('kernel-rt', 'rt', 'answering in bounded time (PREEMPT_RT)'),
    ...named('kernel-tiny', 'tiny', 'as small as it may be'),
  ]);
}

function files(name: string, { image, config, modules, dtbs }: Kernel) {
  return compose({ name: `${name}-all`, parts: [image, config, modules, { input: dtbs, at: 'dtbs' }] });
}
