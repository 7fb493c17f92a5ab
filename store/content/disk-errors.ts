// What the operating system says about a full or read-only disk, said so that a person can mend it.

import { statfsSync } from 'node:fs';
import { UserError, isErrno } from '../base/errors.ts';
import { existingParent } from '../base/existing-parent.ts';

/** The error a person should see for `error`, which came up while writing into `folder` or making it: itself when it is no disk's fault. */
export function explainWriteError(error: unknown, folder: string): unknown {
  if (isErrno(error, 'ENOSPC', 'EDQUOT') || isLmdbFull(error)) return diskFull(folder, error);
  if (isErrno(error, 'EROFS', 'EACCES', 'EPERM')) {
    return new UserError('STORE_UNUSABLE', `the store in ${folder} cannot be written`, {
      hint: 'Give this user write access to it, or name another store with CAIRN_STORE.',
      fault: 'environment',
      cause: error,
    });
  }
  if (isLmdbShortWrite(error)) {
    if (freeBytes(folder) < fewBytes) return diskFull(folder, error);
    return new UserError('STORE_UNUSABLE', `writing into ${folder} failed: input/output error`, {
      hint: 'The disk is full or failing: look at `df` and `dmesg`, then run the command again.',
      fault: 'environment',
      cause: error,
    });
  }
  return error;
}

/** With less, a disk counts as full. */
const fewBytes = 16 << 20;

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(existingParent(folder));
  return bavail * bsize;
}

function diskFull(folder: string, cause: unknown): UserError {
  const freeMb = Math.floor(freeBytes(folder) / 1e6);
  return new UserError('DISK_FULL', `no space left in ${folder} (${freeMb} MB free)`, {
    hint: 'Free some with `cairn store gc`, or move the store with CAIRN_STORE.',
    fault: 'environment',
    cause,
  });
}

// LMDB reports errno 28 as a message and a number.
function isLmdbFull(error: unknown): boolean {
  return error instanceof Error && /No space left on device|Disk quota exceeded/.test(error.message);
}

// When the disk takes only a part of a page, LMDB says what it says of a failing disk.
function isLmdbShortWrite(error: unknown): boolean {
  return error instanceof Error && error.message === 'Input/output error';
}
