// Keeping only the newest of what failed steps leave behind. Knows folders and times, not what is in them.

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';

/** The entries of a folder, newest first by modification time; none when there is no such folder. */
export function newestFirst(folder: string): string[] {
  return namesIn(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, changedMs: changedMs(path) }))
    .sort((a, b) => b.changedMs - a.changedMs)
    .map(({ path }) => path);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

// Another process may be tidying the same folder.
function changedMs(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
