// Renaming what somebody else may have taken away first. Knows no store.

import { lstatSync, renameSync } from 'node:fs';
import { isErrno } from './errors.ts';

/** Renames a file or folder, unless it is gone by now. True when it was there. */
export function renameIfThere(path: string, to: string): boolean {
  try {
    renameSync(path, to);
    return true;
  } catch (error) {
    // The same error says that the folder it is to go to is missing.
    const isGone = isErrno(error, 'ENOENT') && lstatSync(path, { throwIfNoEntry: false }) === undefined;
    if (isGone) return false;
    throw error;
  }
}
