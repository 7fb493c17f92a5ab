// An image: partitions made apart from each other, joined to a disk, compressed, and described. Every file of it is the
// output of a step of its own, so that nothing is copied and a change makes anew only what it touches.

import {
  UserError,
  compose,
  from,
  write,
  type Compose,
  type Derivation,
  type InputLike,
  type Output,
  type Run,
  type Target,
  type Write,
} from '../../engine/model/index.ts';
import type { Component, SourceFolder } from '../system/component.ts';
import { gptIds, mbrDiskId, partitionUuids } from '../system/partition-ids.ts';
import { billEntry } from './bill-of-materials.ts';
import { bootPartition } from './boot-partition.ts';
import { compressedImage } from './compressed.ts';
import { directOutput, type DirectStart } from './direct.ts';
import { checkDisk, partitionType, type Disk, type Role } from './disk.ts';
import { runProgram, type Tools } from './program.ts';
import { contentsProgram, diskProgram, layoutProgram, manifestProgram } from './programs/index.ts';
import { notices, noticesFile } from './notices.ts';
import { rootPartition } from './root-partition.ts';

/** What an image is, as data. */
export interface ImageSpec {
  /** Also of its files: `rpi.img`. */
  readonly name: string;
  readonly description: string;
  readonly target: Target;
  readonly disk: Disk;
  /** What its boot partition starts: `createKernel(…).component`, which is named first among its components. 'none' for a disk that starts nothing. */
  readonly kernel: Component | 'none';
  /** All others. */
  readonly components: readonly Component[];
  /** A tree with licences.json and `texts/NAME`: licences by name of component, for those that say nothing of theirs. */
  readonly licences?: InputLike;
  /** The image's own files, those that no component brings, are under these terms. */
  readonly licence?: string;
  /** What it may take on all partitions together; more fails the build. */
  readonly budgetBytes?: number;
  readonly machine: Machine;
  /** What starts it without its firmware and its boot partition; absent when nothing but the disk does. */
  readonly direct?: DirectStart;
}

/** What `cairn run` starts it in: run.json. */
export interface Machine {
  readonly machine: 'virt' | 'q35';
  readonly cpu: string;
  readonly memoryMb: number;
  readonly firmware: 'edk2-aarch64' | 'ovmf';
}

export interface Image {
  readonly description: string;
  /**
   * NAME.img, NAME.img.zst, NAME.bmap, NAME.cdx.json, NAME.spdx.json, NAME.notices.txt.gz, SHA256SUMS, manifest.json, files.json
   * and run.json.
   */
  readonly derivation: Derivation;
  /** Partition table and partitions as files with their block maps, and layout.json that says where each goes. */
  readonly partitions: Compose;
  /** Kernel, partitions and command line for starting it before its disk is made; absent when nothing says how. */
  readonly direct?: Compose;
}

/** The name that files have in a manifest when no component brings them. */
const ownFiles = 'configuration';

/**
 * An image out of its description.
 * @throws UserError `DERIVATION_INVALID` for a disk that cannot be made, without a kernel, or with components of one name.
 */
export function createImage(spec: ImageSpec, tools: Tools): Image {
  checkImage(spec);
  const { name, target, description } = spec;
  const made = partitionsOf(spec, tools);
  const contents = contentsOf(spec, tools);
  const layout = layoutOf(spec, { tools, made, contents });
  const partitions = compose({
    name: `${name}-partitions`,
    parts: [...made.map(([, input]) => ({ input, exclude: ['facts.json'] })), layout],
  });
  const disk = runProgram({
    name: `${name}-disk`,
    target,
    tools,
    program: diskProgram,
    inputs: { '/parts': partitions },
    outputs: ['out', 'sums'],
  });
  const compressed = compressedImage(partitions, { image: name, target, tools });
  const folders = foldersOf(spec);
  const noticed = notices(
    {
      components: withOwnFiles(spec),
      ...(spec.licences && { licences: spec.licences }),
    },
    { image: name, target, tools },
  );
  const manifest = runProgram({
    name: `${name}-manifest`,
    target,
    tools,
    program: manifestProgram,
    given: { 'manifest.json': manifestFacts(spec) },
    inputs: {
      ...(folders.length > 0 && { '/folders': digestsOf(name, folders) }),
      '/layout': layout,
      '/contents': contents,
      '/map': from(disk, { subpath: `${name}.bmap` }),
      '/sums': from(disk, { output: 'sums', subpath: 'sums' }),
      '/compressed': compressed,
      '/notices': noticed,
      ...(spec.licences && { '/licences': spec.licences }),
    },
  });
  const machine = write({
    name: `${name}-run`,
    files: { 'run.json': `${JSON.stringify(spec.machine, undefined, 1)}\n` },
  });
  const files = { input: contents, include: ['files.json'] };
  return {
    description,
    derivation: compose({ name, parts: [disk, compressed, noticed, manifest, files, machine] }),
    partitions,
    ...(spec.direct && { direct: directOf(spec, { start: spec.direct, tools, made, machine }) }),
  };
}

interface DirectParts {
  readonly start: DirectStart;
  readonly tools: Tools;
  readonly made: readonly MadePartition[];
  readonly machine: Write;
}

// The same steps for another image: its boot partition has nothing of the kernel, so that a new one makes nothing anew.
function directOf(image: ImageSpec, { start, tools, made, machine }: DirectParts): Compose {
  const spec: ImageSpec = { ...image, name: `${image.name}-direct` };
  const context = { image: spec.name, target: spec.target, tools };
  const partitions = image.disk.partitions.map((partition, at): MadePartition =>
    partition.role === 'boot'
      ? ['boot', bootPartition({ ...partition, content: start.bootFiles }, context)]
      : made[at]!,
  );
  const layout = layoutOf(spec, { tools, made: partitions });
  return directOutput(spec.name, {
    start,
    partitions: partitions.map(([, input]) => input),
    layout,
    machine,
  });
}

/**
 * An image, its partitions for writing them without a file of the whole, and what `cairn run --direct` starts, as outputs
 * of a flake.
 */
export function outputsOfImage(
  name: string,
  { description, derivation, partitions, direct }: Image,
): Readonly<Record<string, Output>> {
  return {
    [name]: { derivation, description },
    [`${name}-partitions`]: {
      derivation: partitions,
      description: `${name}: its partitions, each as a file`,
    },
    ...(direct && {
      [`${name}-direct`]: {
        derivation: direct,
        description: `${name}: kernel and partitions, to start without firmware`,
      },
    }),
  };
}

type MadePartition = readonly [role: Role, made: Run];

function partitionsOf({ name, disk, target }: ImageSpec, tools: Tools): readonly MadePartition[] {
  const context = { image: name, target, tools };
  return disk.partitions.map((partition): MadePartition => [
    partition.role,
    partition.role === 'boot' ? bootPartition(partition, context) : rootPartition(partition, context),
  ]);
}

function contentsOf(spec: ImageSpec, tools: Tools): Run {
  const { name, target, disk } = spec;
  const components = componentsOf(spec);
  return runProgram({
    name: `${name}-contents`,
    target,
    tools,
    program: contentsProgram,
    given: {
      'contents.json': {
        components: components.map((component) => ({ name: component.name })),
        // Paths are those of the running system.
        partitions: disk.partitions.map(({ role }) => ({ role, prefix: role === 'root' ? '' : `${role}/` })),
        otherwise: ownFiles,
      },
    },
    inputs: {
      ...placed(disk.partitions.map(({ role, content }) => [`/content/${role}`, content])),
      // fat32 has neither owners nor modes.
      ...placed(
        disk.partitions.flatMap((partition) =>
          partition.role === 'root' ? [[`/attributes/${partition.role}`, partition.attributes] as const] : [],
        ),
      ),
      ...placed(components.map(({ tree }, at) => [`/components/${at}`, tree])),
    },
  });
}

interface Parts {
  readonly tools: Tools;
  readonly made: readonly MadePartition[];
  /** Without it, no budget is kept to. */
  readonly contents?: Run;
}

// The first step that knows where everything goes; nothing of the disk is written when the image is over its budget.
function layoutOf(spec: ImageSpec, { tools, made, contents }: Parts): Run {
  const { name, target, disk } = spec;
  const budgetBytes = contents && spec.budgetBytes;
  const facts = made.map(
    ([role, input]) => [`/facts/${role}.json`, from(input, { subpath: 'facts.json' })] as const,
  );
  return runProgram({
    name: `${name}-layout`,
    target,
    tools,
    program: layoutProgram,
    given: {
      'disk.json': {
        name,
        table: disk.table,
        budgetBytes: budgetBytes ?? null,
        id: disk.table === 'mbr' ? `0x${mbrDiskId}` : gptIds.disk,
        partitions: disk.partitions.map((partition) => ({
          role: partition.role,
          type: partitionType(disk.table, partition.role, target),
          uuid: partitionUuids[disk.table][partition.role],
          growsAtFirstBoot: partition.role === 'root' && partition.growsAtFirstBoot,
        })),
      },
    },
    inputs: { ...placed(facts), ...(budgetBytes !== undefined && contents && { '/contents': contents }) },
  });
}

function componentsOf({ kernel, components }: ImageSpec): readonly Component[] {
  return kernel === 'none' ? components : [kernel, ...components];
}

/** The folders that stand for inputs, each once. */
function foldersOf(spec: ImageSpec): readonly SourceFolder[] {
  const all = componentsOf(spec).flatMap(({ sources }) => sources);
  const folders = all.filter((source): source is SourceFolder => 'input' in source);
  return [...new Map(folders.map((folder) => [folder.input, folder])).values()];
}

// What they hold is known to no config; of 86,000 files the manifest needs one digest.
function digestsOf(image: string, folders: readonly SourceFolder[]): Compose {
  return compose({
    name: `${image}-source-folders`,
    parts: folders.map(({ tree }, at) => ({ input: tree, at: `${at}`, as: 'digest' })),
  });
}

function manifestFacts(spec: ImageSpec) {
  const { name, target, description } = spec;
  return {
    image: name,
    target,
    description,
    folders: foldersOf(spec).map(({ input }) => input),
    components: withOwnFiles(spec).map((component) => ({
      name: component.name,
      version: component.version,
      licence: component.licence,
      sources: component.sources.map((source) => ('url' in source ? source : { input: source.input })),
      ...(component.fixes?.length && { fixes: component.fixes }),
      bom: billEntry(component),
    })),
    files: {
      'files.json': '/contents/files.json',
      [`${name}.bmap`]: '/map',
      [`${name}.img.zst`]: `/compressed/${name}.img.zst`,
      [noticesFile(name)]: `/notices/${noticesFile(name)}`,
    },
  };
}

/** With what no component brings as one more. */
function withOwnFiles(spec: ImageSpec): readonly Omit<Component, 'tree'>[] {
  const { licence = 'Apache-2.0' } = spec;
  return [...componentsOf(spec), { name: ownFiles, version: '', licence, sources: [] }];
}

function checkImage(spec: ImageSpec): void {
  const { name, disk, budgetBytes } = spec;
  checkDisk(name, disk);
  checkKernel(spec);
  const names = [ownFiles, ...componentsOf(spec).map((component) => component.name)];
  const twice = names.find((component, at) => names.indexOf(component) !== at);
  if (twice !== undefined)
    throw new UserError('DERIVATION_INVALID', `image ${name}: two components are called "${twice}"`, {
      hint: 'Each name stands for one component in the manifest; take one out, or give it another name.',
    });
  if (budgetBytes !== undefined && !(Number.isSafeInteger(budgetBytes) && budgetBytes > 0))
    throw new UserError(
      'DERIVATION_INVALID',
      `image ${name}: budgetBytes is ${budgetBytes}, not a number of bytes`,
      {
        hint: 'For example budgetBytes: 350e6.',
      },
    );
}

// Nothing else would say so before somebody waits in front of a dark screen.
function checkKernel({ name, disk, kernel }: ImageSpec): void {
  const given = kernel as ImageSpec['kernel'] | undefined;
  if (given === undefined || (given !== 'none' && typeof given !== 'object'))
    throw new UserError('DERIVATION_INVALID', `image ${name}: it has no kernel, and would not start`, {
      hint: "Give it one: kernel: createKernel({ pins, target, variant: 'standard' }).component, or kernel: 'none' for a disk that starts nothing.",
    });
  if (given !== 'none' && !disk.partitions.some(({ role }) => role === 'boot'))
    throw new UserError('DERIVATION_INVALID', `image ${name}: its kernel has no boot partition to be in`, {
      hint: "Put a partition with the role 'boot' first, or say kernel: 'none'.",
    });
}

function placed(entries: readonly (readonly [string, InputLike])[]): Readonly<Record<string, InputLike>> {
  return Object.fromEntries(entries);
}
