// An image's boot partition, and the files a person puts into it before the first start.

import { access, constants, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { readDescription, type FoundImage, type Manifest } from './description.ts';

type Partition = Manifest['partitions'][number];

/** Where an image's boot partition is: on the disk, and in a file of this machine. */
export interface BootPartition {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly file: string;
  /** Where in the file it begins. */
  readonly startBytes: number;
}

/** Files of this machine by their name in the boot partition, and where that lies. */
export interface Seeds {
  readonly partition: BootPartition;
  readonly files: SeedFiles;
}

export type SeedFiles = Readonly<Record<string, string>>;

/** The boot partition of the image at `folder`; undefined when it has none. */
export async function bootPartitionOf(image: FoundImage): Promise<Partition | undefined> {
  const { partitions } = await readDescription(image, 'manifest.json');
  return partitions.find(({ role }) => role === 'boot');
}

/**
 * The files that were given, by option; undefined when there are none.
 * @throws UserError `USAGE` when one of them cannot be read.
 */
export async function findSeedFiles(
  named: Readonly<Record<string, string | undefined>>,
): Promise<SeedFiles | undefined> {
  const given = Object.entries(named).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(path)] as const],
  );
  for (const [name, path] of given) await requireFile(name, path);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** @throws UserError `USAGE` when the image has nowhere to put them. */
export function placeSeeds(what: string, partition: BootPartition | undefined, files: SeedFiles): Seeds {
  if (partition !== undefined) return { partition, files };
  throw new UserError('USAGE', `${what} has no boot partition to put ${Object.keys(files).join(', ')} into`, {
    hint: 'Only images with cloud-init read these files.',
  });
}

async function requireFile(name: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error;
  }
  throw new UserError('USAGE', `--${name}: ${path} is not a file that can be read`, {
    hint: 'Name a file; the README has an example of user-data.',
  });
}
