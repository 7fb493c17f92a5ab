// The disk in an image's output: the one file that is it, and its block map.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';

export interface DiskFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Its block map, when there is one. */
  readonly mapPath: string | undefined;
}

const ending = '.img';

/**
 * The disk of the output at `folder`; `what` is what a person calls that output.
 * @throws UserError `USAGE` when there is none, or more than one.
 */
export async function findDiskFile({
  folder,
  what,
}: {
  readonly folder: string;
  readonly what: string;
}): Promise<DiskFile> {
  const names = await namesIn(folder);
  const disks = names.filter((name) => name.endsWith(ending));
  const [disk] = disks;
  if (disk === undefined || disks.length > 1) {
    throw new UserError(
      'USAGE',
      `${what} is not an image: ${disk === undefined ? 'it has no' : 'it has more than one'} ${ending} file`,
      { hint: '`cairn list` says what the outputs are.' },
    );
  }
  const path = join(folder, disk);
  const map = `${disk.slice(0, -ending.length)}.bmap`;
  return {
    path,
    sizeBytes: (await stat(path)).size,
    mapPath: names.includes(map) ? join(folder, map) : undefined,
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // An output can be one file.
    if (isErrno(error, 'ENOTDIR')) return [];
    throw error;
  }
}
