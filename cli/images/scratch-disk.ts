// A disk to start an image from: a thin layer above it, so that the image stays as it is, larger than it, as a card is, and
// with a person's own files in its boot partition.

import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BaseDisk } from './base-disk.ts';
import type { Seeds } from './boot-partition.ts';
import { inside, runTool, type Emulator } from './emulator.ts';

const smallestBytes = 4 * 2 ** 30;

/** How large a disk an image is started on: a power of two, as SD cards and QEMU's card readers have it. */
export function grownSize(imageBytes: number): number {
  let size = smallestBytes;
  while (size < imageBytes * 2) size *= 2;
  return size;
}

/** Makes the disk in the emulator's scratch folder and gives its path inside. */
export async function makeScratchDisk(
  emulator: Emulator,
  { base, seeds }: { readonly base: BaseDisk; readonly seeds: Seeds | undefined },
): Promise<string> {
  await base.prepare(emulator.scratch);
  const disk = `${inside.scratch}/disk.qcow2`;
  const below = ['-f', 'qcow2', '-F', base.format, '-b', base.path];
  await runTool(emulator, ['qemu-img', 'create', '-q', ...below, disk, String(grownSize(base.sizeBytes))]);
  if (seeds !== undefined) await writeSeeds(emulator, disk, seeds);
  return disk;
}

// mtools know raw disks only, so they are given the partition as a file of its own.
async function writeSeeds(emulator: Emulator, disk: string, { partition, files }: Seeds): Promise<void> {
  const { file, startBytes, offsetBytes, sizeBytes } = partition;
  const range = { start: startBytes, end: startBytes + sizeBytes - 1 };
  await pipeline(createReadStream(file, range), createWriteStream(join(emulator.scratch, 'boot.img')));
  const boot = `${inside.scratch}/boot.img`;
  for (const [name, path] of Object.entries(files)) {
    // -o: over what the image has there.
    await runTool(emulator, ['mcopy', '-o', '-i', boot, '/seed', `::${name}`], { '/seed': path });
  }
  const write = `write -q -s ${boot} ${offsetBytes} ${sizeBytes}`;
  await runTool(emulator, ['qemu-io', '-f', 'qcow2', '-t', 'unsafe', '-c', write, disk]);
}
