// The images of this repository: which system, kernel and boot files each has, and how large it may become.

import { compose, type InputLike, type Output, type Target } from '../../engine/model/index.ts';
import { efiBootFiles, raspberryPiBootFiles } from '../firmware/boot-files.ts';
import { raspberryPiFirmware } from '../firmware/raspberry-pi.ts';
import { commandLine } from '../kernel/command-line.ts';
import { createKernel, type Kernel } from '../kernel/kernel.ts';
import type { Variant } from '../kernel/variant.ts';
import type { PackageSet } from '../lib/package-set.ts';
import type { PinsByName } from '../lib/pins.ts';
import type { cards } from '../packages/index.ts';
import type { Component } from '../system/component.ts';
import { partitionTable } from '../system/partition-ids.ts';
import { createRootFileSystem, type RootFileSystem } from '../system/root-file-system.ts';
import { systems } from '../system/systems.ts';
import { standInFiles } from './direct.ts';
import { imageTools } from './disk-tools.ts';
import { firstBootFiles } from './first-boot-files.ts';
import { createImage, outputsOfImage, type ImageSpec, type Machine } from './image.ts';

type ImageName = keyof ReturnType<typeof systems>;

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
  'rpi-containerd': { ...server, description: 'rpi with containerd, without Docker', budgetBytes: 240e6 },
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
const imagesFor: Readonly<Record<Target, readonly ImageName[]>> = {
  'aarch64-linux': ['rpi', 'rpi-rt', 'rpi-containerd', 'tiny'],
  'x86_64-linux': ['pc', 'tiny'],
};

const machines: Readonly<Record<Target, Omit<Machine, 'memoryMb'>>> = {
  'aarch64-linux': { machine: 'virt', cpu: 'cortex-a72', firmware: 'edk2-aarch64' },
  'x86_64-linux': { machine: 'q35', cpu: 'max', firmware: 'ovmf' },
};

export interface ImageOptions {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly packages: PackageSet<typeof cards>;
}

/**
 * For each image the image itself, its partitions as `NAME-partitions`, what starts it without firmware as `NAME-direct`, its root file system as `NAME-root`, and who owns
 * what there as `NAME-root-attributes`.
 */
export function imageOutputs(options: ImageOptions): Readonly<Record<string, Output>> {
  const tools = imageTools(options.pins);
  const outputs = imagesFor[options.target].map((name) => {
    const { spec, root } = described(name, options);
    return {
      ...outputsOfImage(name, createImage(spec, tools)),
      [`${name}-root`]: { derivation: root.tree, description: `${name}: its root file system` },
      [`${name}-root-attributes`]: {
        derivation: root.attributes,
        description: `${name}: owners and modes in its root`,
      },
    };
  });
  return Object.assign({}, ...outputs) as Readonly<Record<string, Output>>;
}

/**
 * The images' descriptions by name, for changing one: it is plain data.
 * @example createImage({ ...imageSpecs(options)['rpi']!, budgetBytes: 400e6 }, imageTools(pins))
 */
export function imageSpecs(options: ImageOptions): Readonly<Record<string, ImageSpec>> {
  return Object.fromEntries(imagesFor[options.target].map((name) => [name, described(name, options).spec]));
}

function described(
  name: ImageName,
  options: ImageOptions,
): { readonly spec: ImageSpec; readonly root: RootFileSystem } {
  const { pins, target } = options;
  const { description, kernel: variant, budgetBytes, memoryMb, hasCloudInit } = kinds[name];
  const kernel = createKernel({ pins, target, variant });
  const boot = bootFiles(kernel, { pins, hasCloudInit });
  const root = createRootFileSystem(systems(target)[name], { ...options, components: [modules(kernel)] });
  const spec: ImageSpec = {
    name,
    description,
    target,
    disk: {
      table: partitionTable[target],
      partitions: [
        {
          role: 'boot',
          fileSystem: 'fat32',
          label: 'BOOT',
          // Where somebody can log in from elsewhere: a new kernel beside the one that runs, and the former one (`cairn deploy`).
          slack: { bytes: hasCloudInit ? 64e6 : 16e6 },
          content: boot.tree,
        },
        {
          role: 'root',
          fileSystem: 'ext4',
          label: 'root',
          // What the first start writes before it makes the file system as large as the card.
          slack: { bytes: hasCloudInit ? 64e6 : 16e6 },
          growsAtFirstBoot: hasCloudInit,
          content: root.tree,
          attributes: root.attributes,
        },
      ],
    },
    components: [
      kernel.component,
      ...boot.components,
      ...root.components.filter(({ name }) => name !== kernel.component.name),
    ],
    licences: root.licences,
    budgetBytes,
    machine: { ...machines[target], memoryMb },
    direct: {
      kernel: kernel.image,
      commandLine: commandLine(target),
      bootFiles: hasCloudInit ? firstBootFiles() : standInFiles(),
    },
  };
  return { spec, root };
}

/** What programs ask of the kernel they run on; its image is in the boot partition. */
function modules(kernel: Kernel): Component {
  return { ...kernel.component, tree: kernel.modules };
}

interface Boot {
  readonly tree: InputLike;
  /** What is on the boot partition beside the kernel. */
  readonly components: readonly Component[];
}

function bootFiles(
  kernel: Kernel,
  { pins, hasCloudInit }: { pins: PinsByName; hasCloudInit: boolean },
): Boot {
  const forPerson = hasCloudInit ? [firstBootFiles()] : [];
  if (kernel.target === 'x86_64-linux') {
    return { tree: compose({ name: 'boot', parts: [efiBootFiles(kernel), ...forPerson] }), components: [] };
  }
  const firmware = raspberryPiFirmware(pins);
  const started = raspberryPiBootFiles({ kernel, firmware });
  return { tree: compose({ name: 'boot', parts: [started, ...forPerson] }), components: [firmware] };
}
