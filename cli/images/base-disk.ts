// The disk that an image is started from, as QEMU is to read it: its file, or its parts joined where they lie. Nothing is
// copied. Writes nothing of the image; what a machine writes is scratch-disk.ts's.

import { stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BootPartition } from './boot-partition.ts';
import { bootPartitionOf } from './boot-partition.ts';
import { readDescription, type FoundImage, type Layout } from './description.ts';
import { findDiskFile } from './disk-file.ts';
import { inside } from './emulator.ts';

export interface BaseDisk {
  /** As QEMU sees it. */
  readonly path: string;
  readonly format: 'raw' | 'vmdk';
  readonly sizeBytes: number;
  /** What has to be seen for that, by path inside. */
  readonly readable: Readonly<Record<string, string>>;
  /** Undefined when it has none. */
  readonly boot: BootPartition | undefined;
  /** Makes what has to be in the scratch folder. */
  readonly prepare: (scratch: string) => Promise<void>;
}

/** The disk of a composed image. @throws UserError `USAGE` when the output is not one. */
export async function wholeDisk(image: FoundImage): Promise<BaseDisk> {
  const { path, sizeBytes } = await findDiskFile(image);
  const boot = await bootPartitionOf(image);
  return {
    path: inside.disk,
    format: 'raw',
    sizeBytes,
    readable: { [inside.disk]: path },
    boot: boot && { ...boot, file: path, startBytes: boot.offsetBytes },
    prepare: () => Promise.resolve(),
  };
}

const descriptor = 'disk.vmdk';
const gaps = 'gaps';
const bootFile = 'boot.part';

/** The disk that the parts beside layout.json make. @throws UserError `USAGE` when there are none. */
export async function joinedDisk(image: FoundImage): Promise<BaseDisk> {
  const layout = await readDescription(image, 'layout.json');
  const parts = await Promise.all(
    layout.parts.map(async ({ file, offsetBytes }) => ({
      file,
      offsetBytes,
      sizeBytes: (await stat(join(image.folder, file))).size,
    })),
  );
  const boot = parts.find(({ file }) => file === bootFile);
  return {
    path: `${inside.scratch}/${descriptor}`,
    format: 'vmdk',
    sizeBytes: layout.sizeBytes,
    readable: { [inside.parts]: image.folder },
    boot: boot && { ...boot, file: join(image.folder, bootFile), startBytes: 0 },
    prepare: async (scratch) => {
      await writeFile(join(scratch, gaps), '');
      await truncate(join(scratch, gaps), layout.sizeBytes);
      await writeFile(join(scratch, descriptor), descriptorOf(layout, parts));
    },
  };
}

interface Part {
  readonly file: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * A VMDK's descriptor: a disk of pieces of raw files, one after another. Between parts it is empty.
 * @throws RangeError when parts overlap, or do not begin and end with sectors
 */
export function descriptorOf({ sizeBytes }: Pick<Layout, 'sizeBytes'>, parts: readonly Part[]): string {
  const extents: string[] = [];
  let at = 0;
  const add = (path: string, from: number, to: number): void => {
    if (to < from || from % sectorBytes !== 0 || to % sectorBytes !== 0)
      throw new RangeError(`${path} cannot be from ${from} to ${to} of a disk`);
    if (to > from) extents.push(`RW ${(to - from) / sectorBytes} FLAT "${path}" 0`);
    at = to;
  };
  for (const part of [...parts].sort((a, b) => a.offsetBytes - b.offsetBytes)) {
    add(`${inside.scratch}/${gaps}`, at, part.offsetBytes);
    add(`${inside.parts}/${part.file}`, part.offsetBytes, part.offsetBytes + part.sizeBytes);
  }
  add(`${inside.scratch}/${gaps}`, at, sizeBytes);
  return `# Disk DescriptorFile
version=1
CID=ca12ca12
parentCID=ffffffff
createType="twoGbMaxExtentFlat"
${extents.join('\n')}
ddb.adapterType="ide"
`;
}

const sectorBytes = 512;
