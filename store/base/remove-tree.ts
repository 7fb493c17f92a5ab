// Removing a folder with whatever a step left in it, as an ordinary user: read-only folders, folders of mode 000, names
// that are not UTF-8, and paths longer than the kernel takes. Synchronous; knows no store.

import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { isErrno } from './errors.ts';

/** Well below PATH_MAX (4,096), with room for one more name. */
const longestPathBytes = 2_000;

/**
 * Removes a folder with everything in it; it may be gone already. Symlinks are removed, never followed.
 * @throws the first error, once all is removed that can be: what is another user's may stay
 */
export function removeTree(folder: string): void {
  const removal: Removal = { top: Buffer.from(folder), lifted: 0, refused: undefined };
  try {
    attempt(removal, () => emptyFolder(removal.top, removal));
    // What lay too deep is at the top now, and may lie too deep again.
    for (let emptied = 0; emptied < removal.lifted;) {
      emptied = removal.lifted;
      attempt(removal, () => emptyFolder(removal.top, removal));
    }
    if (removal.refused === undefined) rmdirSync(removal.top);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  if (removal.refused !== undefined) throw removal.refused;
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
  /** Why something had to stay. */
  refused: Error | undefined;
}

function emptyFolder(folder: Buffer, removal: Removal): void {
  openToUs(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' }))
    attempt(removal, () =>
      removeEntry(Buffer.concat([folder, slash, entry.name]), entry.isDirectory(), removal),
    );
}

function removeEntry(path: Buffer, isFolder: boolean, removal: Removal): void {
  if (!isFolder) {
    unlinkSync(path);
  } else if (path.length > longestPathBytes) {
    lift(path, removal);
  } else {
    emptyFolder(path, removal);
    rmdirSync(path);
  }
}

// Nobody is shut out: what only another user may remove is left to that one. Another user's may be open to us as it is.
function openToUs(folder: Buffer): void {
  const { mode, uid } = lstatSync(folder);
  if (uid === process.getuid?.() && (mode & 0o700) !== 0o700) chmodSync(folder, (mode & 0o777) | 0o700);
}

// What may not be removed must not keep the rest; the folders that it is in stay with it.
function attempt(removal: Removal, remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    const isRefused = isErrno(error, 'EACCES', 'EPERM');
    if (!isRefused && !(removal.refused !== undefined && isErrno(error, 'ENOTEMPTY'))) throw error;
    removal.refused ??= error;
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
