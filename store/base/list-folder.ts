// A folder's names, where somebody may have removed the folder.

import { readdirSync } from 'node:fs';
import { isErrno } from './errors.ts';

/** The names in a folder, none when it is not there. */
export function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
