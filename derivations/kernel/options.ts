// Which fragments make which kernel.

import type { Target } from '../../engine/model/index.ts';
import { builtInCommandLine } from './command-line.ts';
import { docker } from './docker-options.ts';
import { differences, type Line } from './lines.ts';
import { mergeFragments, type Fragment, type Option } from './fragment.ts';
import { arm64 } from './fragments/arm64.ts';
import { base } from './fragments/base.ts';
import { containers } from './fragments/containers.ts';
import { fileSystems } from './fragments/file-systems.ts';
import { network } from './fragments/network.ts';
import { raspberryPi } from './fragments/raspberry-pi.ts';
import { rt } from './fragments/rt.ts';
import { security } from './fragments/security.ts';
import { serverNetwork } from './fragments/server-network.ts';
import { standard } from './fragments/standard.ts';
import { tiny } from './fragments/tiny.ts';
import { usbAndDisks } from './fragments/usb-and-disks.ts';
import { virtio } from './fragments/virtio.ts';
import { x8664 } from './fragments/x86-64.ts';
import type { Variant } from './variant.ts';

const everywhere = [base, security, fileSystems, network, virtio, usbAndDisks];
const servers = [serverNetwork, docker, containers];
const machines: Readonly<Record<Target, readonly Fragment[]>> = {
  'aarch64-linux': [arm64, raspberryPi],
  'x86_64-linux': [x8664],
};
const variants: Readonly<Record<Variant, readonly Fragment[]>> = {
  standard: [...servers, standard],
  rt: [...servers, rt],
  tiny: [tiny],
};

/**
 * All options of a kernel.
 * @example kernelOptions({ target: 'aarch64-linux', variant: 'rt' })
 */
export function kernelOptions({
  target,
  variant,
  line = 'long-term',
  further = [],
}: {
  readonly target: Target;
  readonly variant: Variant;
  readonly line?: Line;
  /** Fragments of one's own, beside those of cairn. */
  readonly further?: readonly Fragment[];
}): readonly Option[] {
  const own = [...everywhere, ...machines[target], ...variants[variant], builtInCommandLine(target)];
  const { fragments, gone } = differences(line, { target, variant });
  const isOnesOwn = ({ fragment }: Option): boolean => further.some(({ name }) => name === fragment);
  return mergeFragments([...own, ...fragments, ...further]).filter(
    (option) => !gone.has(option.name) || isOnesOwn(option),
  );
}
