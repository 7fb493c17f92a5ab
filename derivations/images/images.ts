// The images of this repository: which system, kernel and boot files each has, and how large it may become.

import type { Output, Target } from '../../engine/model/index.ts';
import { createKernel } from '../kernel/kernel.ts';
import type { Variant } from '../kernel/variant.ts';
import { systems } from '../system/systems.ts';
import { imageTools } from './disk-tools.ts';
import type { ImageSpec } from './image.ts';
import { described, outputsOf, type Individual, type Surroundings } from './individual.ts';

export type ImageName = keyof ReturnType<typeof systems>;

/** What tells an image from the others, beside its system. */
interface Kind {
  readonly description: string;
  readonly kernel: Variant;
  readonly budgetBytes: number;
  readonly memoryMb: number;
  /** Whether cloud-init is in it, which reads the boot partition and makes the root as large as the card. */
  readonly hasCloudInit: boolean;
}

const server = { kernel: 'standard', memoryMb: 1024, hasCloudInit: true } as const;

const kinds: Readonly<Record<ImageName, Kind>> = {
  rpi: {
    ...server,
    description: 'Raspberry Pi 3, 4, 5 and UEFI: Docker, set up by cloud-init',
    budgetBytes: 350e6,
  },
  'rpi-rt': { ...server, description: 'rpi with a real-time kernel', kernel: 'rt', budgetBytes: 352e6 },
  'rpi-containerd': { ...server, description: 'rpi with containerd, without Docker', budgetBytes: 250e6 },
  pc: { ...server, description: 'PCs with UEFI: Docker, set up by cloud-init', budgetBytes: 380e6 },
  tiny: {
    description: 'our own userland and a shell on the console, nothing else',
    kernel: 'tiny',
    memoryMb: 256,
    hasCloudInit: false,
    budgetBytes: 40e6,
  },
};

/** Which images there are for a target. */
export const imagesFor: Readonly<Record<Target, readonly ImageName[]>> = {
  'aarch64-linux': ['rpi', 'rpi-rt', 'rpi-containerd', 'tiny'],
  'x86_64-linux': ['pc', 'tiny'],
};

export type ImageOptions = Surroundings;

/**
 * For each image the image itself, its partitions as `NAME-partitions`, what starts it without firmware as `NAME-direct`, its root file system as `NAME-root`, and who owns
 * what there as `NAME-root-attributes`.
 */
export function imageOutputs(options: ImageOptions): Readonly<Record<string, Output>> {
  const tools = imageTools(options.pins);
  const outputs = imagesFor[options.target].map((name) =>
    outputsOf(described(usual(name, options), options), tools),
  );
  return Object.assign({}, ...outputs) as Readonly<Record<string, Output>>;
}

/**
 * The images' descriptions by name, for changing one: it is plain data.
 * @example createImage({ ...imageSpecs(options)['rpi']!, budgetBytes: 400e6 }, imageTools(pins))
 */
export function imageSpecs(options: ImageOptions): Readonly<Record<string, ImageSpec>> {
  return Object.fromEntries(
    imagesFor[options.target].map((name) => [name, described(usual(name, options), options).spec]),
  );
}

/** One of them, as it is for this target. */
export function usual(name: ImageName, { pins, target }: Pick<ImageOptions, 'pins' | 'target'>): Individual {
  const { kernel: variant, ...kind } = kinds[name];
  return { ...kind, name, kernel: createKernel({ pins, target, variant }), system: systems(target)[name] };
}
