// Moves one file into a batch's folder under its blob name, with a blob's mode and time. Also run by worker threads.

import { chmodSync, constants, copyFileSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import type { Digest } from '../base/digest.ts';
import { makeCanonical } from './blobs.ts';
import { hashFile, hashFileSync, largeFileBytes } from './hash-file.ts';
import { blobName } from '../layout.ts';

export interface FileToTake {
  readonly path: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
  /** True when other names lead to the same inode: then its bytes are copied, since those names could change them. */
  readonly isShared: boolean;
}

/** Takes a file whose size is small enough to hold up the thread. */
export function takeFileSync(file: FileToTake, folder: string): Digest {
  const path = ownInode(file, folder);
  return settle(path, hashFileSync(path), file.executable, folder);
}

export async function takeFile(file: FileToTake, folder: string, signal?: AbortSignal): Promise<Digest> {
  if (file.sizeBytes < largeFileBytes) return takeFileSync(file, folder);
  const path = ownInode(file, folder);
  return settle(path, await hashFile(path, signal), file.executable, folder);
}

/** Puts a file whose digest is known under its blob name. */
export function settle(path: string, digest: Digest, executable: boolean, folder: string): Digest {
  makeCanonical(path, executable);
  renameSync(path, `${folder}/${blobName(digest, executable)}`);
  return digest;
}

// The mode is set before reading, since a build may leave files that not even their owner can read.
function ownInode(file: FileToTake, folder: string): string {
  const { mode } = lstatSync(file.path);
  chmodSync(file.path, 0o644);
  if (!file.isShared) return file.path;
  const copy = `${folder}/copy-${threadId}-${nextCopy++}`;
  copyFileSync(file.path, copy, constants.COPYFILE_FICLONE);
  // The other names stay with what they lead to: they may be in a folder that is kept for the next build.
  chmodSync(file.path, mode & 0o7777);
  rmSync(file.path);
  return copy;
}

let nextCopy = 0;
