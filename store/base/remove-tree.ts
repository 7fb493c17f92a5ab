// Removing a folder with whatever a step left in it, as an ordinary user: read-only folders, folders of mode 000, names
// that are not UTF-8, and paths longer than the kernel takes. Synchronous; knows no store.

import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { isErrno } from './errors.ts';

/** Well below PATH_MAX (4,096), with room for one more name. */
const longestPathBytes = 2_000;

/** Removes a folder with everything in it; it may be gone already. Symlinks are removed, never followed. */
export function removeTree(folder: string): void {
  const removal: Removal = { top: Buffer.from(folder), lifted: 0 };
  try {
    emptyFolder(removal.top, removal);
    // What lay too deep is at the top now, and may lie too deep again.
    for (let emptied = 0; emptied < removal.lifted;) {
      emptied = removal.lifted;
      emptyFolder(removal.top, removal);
    }
    rmdirSync(removal.top);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Removes whatever is there: a folder as {@link removeTree} does, or anything else. */
export function removeAny(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) removeTree(path);
  else if (stats !== undefined) unlinkSync(path);
}

interface Removal {
  readonly top: Buffer;
  lifted: number;
}

function emptyFolder(folder: Buffer, removal: Removal): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    const path = Buffer.concat([folder, slash, entry.name]);
    if (!entry.isDirectory()) {
      unlinkSync(path);
    } else if (path.length > longestPathBytes) {
      lift(path, removal);
    } else {
      emptyFolder(path, removal);
      rmdirSync(path);
    }
  }
}

const slash = Buffer.from('/');

function lift(path: Buffer, removal: Removal): void {
  // Moving a folder rewrites its "..", which takes write permission on the folder itself.
  chmodSync(path, 0o700);
  for (;;) {
    try {
      renameSync(path, Buffer.concat([removal.top, Buffer.from(`/lifted-${removal.lifted++}`)]));
      return;
    } catch (error) {
      // The step has something of this name itself.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
    }
  }
}
