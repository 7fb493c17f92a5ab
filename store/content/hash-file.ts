// Digests of files on disk: small ones in one read, large ones with reading and hashing side by side.

import { closeSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DigestHasher, digestOf, type Digest } from '../base/digest.ts';

/** From this size on, reading ahead while hashing pays. */
export const largeFileBytes = 4 << 20;
const chunkBytes = 1 << 20;

// One for all files of this thread: fresh memory for each would cost the kernel as much as reading does. Small enough
// to stay in a processor's cache from the reading to the hashing.
let shared: Buffer | undefined;
const sharedBytes = 128 << 10;

/** The digest of a file's bytes, on this thread, without giving it up in between. */
export function hashFileSync(path: string): Digest {
  shared ??= Buffer.allocUnsafeSlow(sharedBytes);
  const file = openSync(path, 'r');
  try {
    let length = readSync(file, shared);
    if (length < sharedBytes) return digestOf(shared.subarray(0, length));
    const hasher = new DigestHasher();
    for (; length > 0; length = readSync(file, shared)) hasher.update(shared.subarray(0, length));
    return hasher.digest();
  } finally {
    closeSync(file);
  }
}

/** The digest of a file's bytes, reading one buffer while the other is hashed. Gives the thread up between chunks. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<Digest> {
  const file = await open(path, 'r');
  try {
    return await hashHandle(file, signal);
  } finally {
    await file.close();
  }
}

async function hashHandle(file: FileHandle, signal: AbortSignal | undefined): Promise<Digest> {
  const hasher = new DigestHasher();
  let ready = Buffer.allocUnsafeSlow(chunkBytes);
  let spare = Buffer.allocUnsafeSlow(chunkBytes);
  let length = (await file.read(ready)).bytesRead;
  while (length > 0) {
    signal?.throwIfAborted();
    const reading = file.read(spare);
    hasher.update(ready.subarray(0, length));
    [ready, spare] = [spare, ready];
    length = (await reading).bytesRead;
  }
  return hasher.digest();
}
