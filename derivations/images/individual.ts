// From what makes an image this one (its system, its kernel, its boot files) to its description and its outputs.

import {
  compose,
  type Derivation,
  type InputLike,
  type Output,
  type Target,
} from '../../engine/model/index.ts';
import { efiBootFiles, raspberryPiBootFiles } from '../firmware/boot-files.ts';
import { raspberryPiFirmware } from '../firmware/raspberry-pi.ts';
import { commandLine } from '../kernel/command-line.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { PackageSet } from '../lib/package-set.ts';
import type { PinsByName } from '../lib/pins.ts';
import type { cards } from '../packages/index.ts';
import type { Component } from '../system/component.ts';
import type { SystemDescription } from '../system/description.ts';
import { partitionTable } from '../system/partition-ids.ts';
import { createRootFileSystem, type RootFileSystem } from '../system/root-file-system.ts';
import { standInFiles } from './direct.ts';
import { firstBootFiles } from './first-boot-files.ts';
import { createImage, outputsOfImage, type ImageSpec, type Machine } from './image.ts';
import type { Tools } from './program.ts';

/** An image with all that makes it this one. */
export interface Individual {
  readonly name: string;
  readonly description: string;
  readonly kernel: Kernel;
  readonly budgetBytes: number | undefined;
  readonly memoryMb: number;
  readonly hasCloudInit: boolean;
  readonly system: SystemDescription;
}

const machines: Readonly<Record<Target, Omit<Machine, 'memoryMb'>>> = {
  'aarch64-linux': { machine: 'virt', cpu: 'cortex-a72', firmware: 'edk2-aarch64' },
  'x86_64-linux': { machine: 'q35', cpu: 'max', firmware: 'ovmf' },
};

/** With what it is made. */
export interface Surroundings {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly packages: PackageSet<typeof cards>;
}

export interface Described {
  readonly spec: ImageSpec;
  readonly root: RootFileSystem;
}

/** Its description, and its root. */
export function described(image: Individual, options: Surroundings): Described {
  const { pins, target } = options;
  const { name, description, kernel, budgetBytes, memoryMb, hasCloudInit, system } = image;
  const hasDocker = system.features.some(({ groups = [] }) =>
    groups.some((group) => group.name === 'docker'),
  );
  const forPerson = hasCloudInit ? firstBootFiles({ hasDocker }) : undefined;
  const boot = bootFiles(kernel, { pins, forPerson });
  const root = createRootFileSystem(system, { ...options, components: [modules(kernel)] });
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
    kernel: kernel.component,
    components: [...boot.components, ...root.components.filter(({ name }) => name !== kernel.component.name)],
    licences: root.licences,
    ...(budgetBytes !== undefined && { budgetBytes }),
    machine: { ...machines[target], memoryMb },
    direct: {
      kernel: kernel.image,
      commandLine: commandLine(target),
      bootFiles: forPerson ?? standInFiles(),
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
  { pins, forPerson }: { readonly pins: PinsByName; readonly forPerson: Derivation | undefined },
): Boot {
  const edited = forPerson === undefined ? [] : [forPerson];
  if (kernel.target === 'x86_64-linux') {
    return { tree: compose({ name: 'boot', parts: [efiBootFiles(kernel), ...edited] }), components: [] };
  }
  const firmware = raspberryPiFirmware(pins);
  const started = raspberryPiBootFiles({ kernel, firmware });
  return { tree: compose({ name: 'boot', parts: [started, ...edited] }), components: [firmware] };
}

/** The image by its name, and what it is made of. */
export function outputsOf({ spec, root }: Described, tools: Tools): Readonly<Record<string, Output>> {
  const { name } = spec;
  return {
    ...outputsOfImage(name, createImage(spec, tools)),
    [`${name}-root`]: { derivation: root.tree, description: `${name}: its root file system` },
    [`${name}-root-attributes`]: {
      derivation: root.attributes,
      description: `${name}: owners and modes in its root`,
    },
  };
}
