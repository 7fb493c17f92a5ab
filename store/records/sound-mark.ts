// The mark that a database was left sound: what its file was like when the last process closed it. As long as the file is
// still like that, nobody has written to it since, and its pages need not all be looked at before it is opened. The mark
// is taken away while the database is open, so that a process that ends over damage does not leave it.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { shareAlike } from '../base/make-folder.ts';

const markFile = 'sound';

/** File times move in steps of up to 10 ms. */
const clockStepMs = 20;

export function isKnownSound(folder: string, file: string): boolean {
  try {
    return readFileSync(join(folder, markFile), 'utf8') === stateOf(join(folder, file));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

export function forgetSound(folder: string): void {
  rmSync(join(folder, markFile), { force: true });
}

/** For who has closed the database. The folder may be gone by now. */
export function noteSound(folder: string, file: string): void {
  const part = join(folder, `${markFile}.${randomBytes(6).toString('hex')}`);
  try {
    const path = join(folder, file);
    // What is written now could get the time that the file has already.
    if (Date.now() - statSync(path).mtimeMs < clockStepMs) return;
    writeFileSync(part, stateOf(path));
    shareAlike(part);
    renameSync(part, join(folder, markFile));
  } catch (error) {
    rmSync(part, { force: true });
    // On a full disk, or where another user looks on, the next process looks at all pages: that is all.
    if (!isErrno(error, 'ENOENT', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS')) throw error;
  }
}

function stateOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
