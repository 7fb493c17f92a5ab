// A project of somebody who makes images of folders: `boot`, `root` and `attributes` beside this file, once with each
// partition table. `NAME-report` is what the file systems' own tools say of an image.

import {
  compose,
  composePackages,
  defineFlake,
  from,
  localFolder,
  run,
  write,
  type Input,
  type InputLike,
  type Pins,
  type Run,
} from 'cairn-build';
import {
  createImage,
  createKernel,
  imageTools,
  inputs,
  outputsOfImage,
  sandboxTool,
  type Component,
  type Disk,
  type Image,
} from 'cairn-build/derivations';

type PinsByName = Readonly<Record<string, Pins>>;

const budgetBytes = 60e6;

const folder = (name: string, path = name): Input => from(localFolder({ name, path }));
const [boot, root, attributes] = [folder('boot'), folder('root'), folder('attributes')];

const kernel = compose({
  name: 'handed-kernel',
  parts: [{ input: { ...boot, subpath: 'kernel/kernel8.img' }, at: 'kernel' }],
});

/** It says that it is made from whatever the input `linux` is. */
const kernelComponent = (pins: PinsByName): Component => ({
  ...createKernel({ pins, target: 'aarch64-linux', variant: 'tiny' }).component,
  name: 'kernel',
  notices: folder('notices'),
  tree: folder('kernel', 'boot/kernel'),
});

const components: readonly Component[] = [
  {
    name: 'tools',
    version: '1.0-2',
    sources: [{ url: 'mirror://debian/pool/main/t/tools/tools_1.0-2_arm64.deb', sha256: 'bb'.repeat(32) }],
    tree: from(compose({ name: 'tools', parts: [{ input: root, include: ['usr/**'] }] })),
  },
];

const disk = (table: Disk['table']): Disk => ({
  table,
  partitions: [
    { role: 'boot', fileSystem: 'fat32', label: 'BOOT', slack: { percent: 50 }, content: boot },
    {
      role: 'root',
      fileSystem: 'ext4',
      label: 'root',
      slack: { bytes: 1e6 },
      growsAtFirstBoot: true,
      content: root,
      attributes,
    },
  ],
});

const image = (table: Disk['table'], pins: PinsByName, tools: readonly InputLike[]): Image =>
  createImage(
    {
      name: table,
      description: `a small image with ${table.toUpperCase()}`,
      target: 'aarch64-linux',
      disk: disk(table),
      kernel: kernelComponent(pins),
      components,
      licences: folder('licences'),
      budgetBytes,
      machine: { machine: 'virt', cpu: 'cortex-a72', memoryMb: 256, firmware: 'edk2-aarch64' },
      direct: { kernel, commandLine: 'root=PARTUUID=5a3c1f00-02', bootFiles: folder('licences') },
    },
    tools,
  );

const report = (name: string, made: Image, tools: readonly InputLike[]): Run =>
  run({
    name: `${name}-report`,
    layers: tools,
    inputs: { '/image': made.derivation, '/boot': boot, '/root': root, '/inspect': folder('inspect') },
    env: { name },
    argv: ['/bin/sh', '/inspect/inspect.sh'],
  });

/** The program that makes boot partitions, with a file that no store should have to keep. */
const tooLarge = (made: Image, tools: readonly InputLike[]): Run => {
  const step = made.partitions.parts[0]!.input.derivation as Run;
  return run({
    name: 'too-large',
    layers: tools,
    inputs: { '/program': step.inputs['/program']!, '/given': step.inputs['/given']! },
    env: step.env,
    argv: ['/bin/sh', '-euc', 'mkdir /content; truncate -s 4G /content/big; python3 /program/main.py'],
  });
};

/** The program that makes roots, with more folders in one than ext4 has. */
const tooManyFolders = (made: Image, tools: readonly InputLike[]): Run => {
  const step = made.partitions.parts.find(({ input }) => input.derivation.name.endsWith('root-partition'));
  const { inputs: given, env } = step!.input.derivation as Run;
  const attributesOf = write({ name: 'no-attributes', files: { 'attributes.json': '{}' } });
  // In memory: what a failed step leaves on a disk is kept, and somebody has to remove them all one by one.
  const script = 'ln -s /dev/shm /content; cd /dev/shm; seq 64998 | xargs mkdir; python3 /program/main.py';
  return run({
    name: 'too-many-folders',
    layers: tools,
    inputs: { '/program': given['/program']!, '/given': given['/given']!, '/attributes': attributesOf },
    env,
    argv: ['/bin/sh', '-euc', script],
  });
};

// What the steps of images run, out of the seed, which is ten times as large.
const programs = `
  base-files bash coreutils dash diffutils findutils grep libacl1 libattr1 libbz2-1.0 libc-bin libc6 libcap2 libexpat1
  libgmp10 liblz4-1 liblzma5 libpcre2-8-0 libpython3.13-minimal libreadline8t64 libselinux1 libssl3t64 libtinfo6
  libxxhash0 libzstd1 python3-minimal python3.13-minimal sed zlib1g zstd
`.split(/\s+/);

export default defineFlake({
  description: 'small images',
  inputs,
  targets: ['aarch64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => {
    const seed = pins.seed.filter(({ name }) => programs.includes(name));
    const tools = imageTools(pins, composePackages('programs', seed));
    const [mbr, gpt] = [image('mbr', pins, tools), image('gpt', pins, tools)];
    return {
      ...outputsOfImage('mbr', mbr),
      ...outputsOfImage('gpt', gpt),
      'mbr-report': report('mbr', mbr, tools),
      'gpt-report': report('gpt', gpt, tools),
      'too-large': tooLarge(mbr, tools),
      'too-many-folders': tooManyFolders(mbr, tools),
    };
  },
});
