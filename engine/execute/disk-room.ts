// Whether there is room left where steps write: by what the file system says and takes. What a step writes into its log is a
// hint at most, since a program may say the same of a file system of its own, or of a test.

import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';

/** With less room than this, a failure is put down to the disk. */
const scarceBytes = 1024 * 1024;
/** With less than this, one that speaks of it: what had filled the disk may have been removed again. */
const hintedBytes = 1024 * 1024 * 1024;
const scarceFiles = 16;
const hintedFiles = 10_000;

/** True when a step that failed in `folder` had no room, as far as can be seen; `isSaid`: its log says so. */
export function lacksRoom(folder: string, isSaid: boolean): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  if (bavail * bsize < (isSaid ? hintedBytes : scarceBytes)) return true;
  // Those that make inodes as they need them count none.
  if (files > 0 && ffree < (isSaid ? hintedFiles : scarceFiles)) return true;
  return isSaid && refuses(folder);
}

// A quota shows in nothing but this.
function refuses(folder: string): boolean {
  const probe = join(folder, 'room');
  try {
    writeFileSync(probe, Buffer.alloc(scarceBytes));
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) return true;
    throw error;
  } finally {
    rmSync(probe, { force: true });
  }
}
