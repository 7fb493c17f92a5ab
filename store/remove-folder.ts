// Removes a folder with all below it, read-only folders that a build may have left in it included.

import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { isErrno } from './base/errors.ts';

/** Removes a folder. Absence is no error. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error;
    await makeRemovable(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeRemovable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const name of await readdir(folder)) {
    const path = `${folder}/${name}`;
    if ((await lstat(path)).isDirectory()) await makeRemovable(path);
  }
}
