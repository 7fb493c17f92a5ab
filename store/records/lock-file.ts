// The file by which LMDB's processes find each other. LMDB makes it without blocks and maps it into memory, so that on a full
// disk the first use of a block would end the process by SIGBUS, and no message would say why. Made here with all its blocks,
// a full disk is an error.

import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { lacksHardLinks, noHardLinks } from '../base/hard-links.ts';
import { makeFolders, shareAlike } from '../base/make-folder.ts';

const lockFile = 'lock.mdb';
/** mdb.c, MDB_reader: one for each process that reads. */
const readerBytes = 64;
/** More than what lies before the readers: mdb.c, MDB_txninfo. */
const headBytes = 4096;
/** As LMDB makes it. */
const mode = 0o664;

export function lockFilePath(folder: string): string {
  return join(folder, lockFile);
}

/** Makes the lock file of the database in a folder, and that, unless they are there. LMDB takes as many readers as it has room for. */
export function makeLockFile(folder: string, readers: number): void {
  const path = lockFilePath(folder);
  if (existsSync(path)) return;
  makeFolders(folder);
  const part = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(part, Buffer.alloc(headBytes + readers * readerBytes), { mode });
    shareAlike(part);
    // It has its name only when it is whole: who opens it first says what is in it.
    linkSync(part, path);
  } catch (error) {
    if (lacksHardLinks(error) && existsSync(part)) throw noHardLinks(error);
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    rmSync(part, { force: true });
  }
}
