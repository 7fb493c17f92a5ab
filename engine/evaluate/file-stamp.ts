// What tells cheaply that a file has not changed since it was last looked at. A hint for caches of what can be read
// again; never identity.

import { statSync } from 'node:fs';
import { isErrno } from '../../store/base/errors.ts';

/**
 * How long before now a file's last change must lie for its times to be trusted: a later change within one tick of the
 * file system's clock would leave no trace in them.
 */
const settledMs = 100;

/** Size, times in nanoseconds and inode of a regular file, links followed; undefined when there is none. */
export function fileStamp(path: string): string | undefined {
  const found = fileStat(path);
  return found?.isFile() === true ? stampOf(found) : undefined;
}

/** What is there where no regular file is: nothing, or something else, which may be an error where nothing is none. */
export function absenceStamp(path: string): 'absent' | 'no file' {
  return fileStat(path) === undefined ? 'absent' : 'no file';
}

/** The same for whatever is at the path, or `absent`. */
export function anyStamp(path: string): string {
  const found = fileStat(path);
  return found === undefined ? 'absent' : stampOf(found);
}

/** A file's stamp to be kept and compared with later ones; '' when it changed so recently that none can be trusted. */
export function lastingStamp(path: string): string | undefined {
  const found = fileStat(path);
  if (found?.isFile() !== true) return undefined;
  return Date.now() - Number(found.ctimeNs / 1_000_000n) < settledMs ? '' : stampOf(found);
}

type FileStat = NonNullable<ReturnType<typeof fileStat>>;

function fileStat(path: string) {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (isErrno(error, 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

function stampOf({ size, mtimeNs, ctimeNs, ino, dev }: FileStat): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${dev}`;
}
