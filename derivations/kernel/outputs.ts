// What the flake gives of kernels, by name, for people who want one alone.

import { compose, type Derivation, type Output, type Target } from '../../engine/model/index.ts';
import type { PinsByName } from '../lib/pins.ts';
import { createKernel, type Kernel } from './kernel.ts';
import { lines, type Line } from './lines.ts';
import type { Variant } from './variant.ts';

const variants: Readonly<Record<Variant, string>> = {
  standard: 'everything built in',
  rt: 'answering in bounded time (PREEMPT_RT)',
  tiny: 'as small as it may be',
};

/** `kernel`, `kernel-rt`, `kernel-tiny`, the same of the new line as `kernel-new` and so on, each with its `-config`. */
export function kernelOutputs({
  pins,
  target,
}: {
  readonly pins: PinsByName;
  readonly target: Target;
}): Readonly<Record<string, Output>> {
  const kernels = (Object.keys(lines) as Line[]).flatMap((line) =>
    (Object.keys(variants) as Variant[]).map((variant) => ({ line, variant })),
  );
  return Object.fromEntries(
    kernels.flatMap(({ line, variant }) =>
      outputsOfKernel(createKernel({ pins, target, variant, line }), variants[variant]),
    ),
  );
}

function outputsOfKernel(kernel: Kernel, what: string): readonly [string, Output][] {
  const { name, version, config, symbols, debug, dev } = kernel;
  const description = `Linux ${version}, ${what}: kernel, device trees, configuration`;
  const output = (derivation: Derivation, about: string): Output => ({ derivation, description: about });
  return [
    [name, { derivation: files(kernel), description }],
    [`${name}-config`, output(config.derivation, `the configuration of ${name}`)],
    [
      `${name}-symbols`,
      output(
        compose({ name: `${name}-symbols`, parts: [symbols] }),
        `what in ${name} is where, and what modules may use of it`,
      ),
    ],
    [`${name}-debug`, output(debug.derivation, `${name} as a debugger reads it`)],
    [`${name}-dev`, output(dev.derivation, `what modules for ${name} are compiled against`)],
  ];
}

function files({ name, image, config, modules, dtbs }: Kernel) {
  return compose({ name: `${name}-all`, parts: [image, config, modules, { input: dtbs, at: 'dtbs' }] });
}
