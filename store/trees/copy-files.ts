// Copies blobs to where a tree wants them, each as a file of its own with one name. Hard links would be cheaper, and would
// show through: `stat -c %h`, tar, cpio and find -samefile would tell a step what else the store holds. Also run by
// worker threads. Knows no trees.

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  futimesSync,
  openSync,
  readSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { isErrno } from '../base/errors.ts';
import { isCanonical } from '../content/blobs.ts';
import { blobMode, canonicalAtimeSeconds, canonicalMtimeSeconds } from '../layout.ts';

/** One file to be made; nothing is there yet. */
export interface FileToCopy {
  /** The blob's file. */
  readonly from: string;
  readonly to: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
}

/** From this size on the kernel copies, and shares the blocks where the file system can (FICLONE). */
const clonedBytes = 256 << 10;

let buffer: Buffer | undefined;

/** Copies one file. False when the blob is not there, or somebody has touched it: then nothing was made. */
export function copyBlob(file: FileToCopy): boolean {
  const source = openBlob(file);
  if (source === undefined) return false;
  try {
    if (file.sizeBytes < clonedBytes) return copyThrough(source, file);
    copyByKernel(file);
    return true;
  } finally {
    closeSync(source);
  }
}

function openBlob({ from, executable, sizeBytes }: FileToCopy): number | undefined {
  let source: number;
  try {
    source = openSync(from, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const stats = fstatSync(source);
  if (stats.size === sizeBytes && isCanonical(stats, executable)) return source;
  closeSync(source);
  return undefined;
}

function copyThrough(source: number, { to, executable, sizeBytes }: FileToCopy): boolean {
  buffer ??= Buffer.allocUnsafeSlow(clonedBytes);
  let length = 0;
  for (let read = -1; length < sizeBytes && read !== 0; length += read)
    read = readSync(source, buffer, length, sizeBytes - length, length);
  if (length !== sizeBytes) return false;
  const mode = blobMode(executable);
  const target = openSync(to, 'wx', mode);
  try {
    for (let at = 0; at < length;) at += writeSync(target, buffer, at, length - at);
    // The umask or a default access list may have taken bits away.
    if ((fstatSync(target).mode & 0o7777) !== mode) fchmodSync(target, mode);
    futimesSync(target, canonicalAtimeSeconds, canonicalMtimeSeconds);
  } finally {
    closeSync(target);
  }
  return true;
}

function copyByKernel({ from, to, executable }: FileToCopy): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  chmodSync(to, blobMode(executable));
  utimesSync(to, canonicalAtimeSeconds, canonicalMtimeSeconds);
}
