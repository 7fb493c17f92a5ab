// Blobs in memory written to a batch's folder under their names, each hashed on the way. Also run by worker threads.

import { closeSync, fchmodSync, futimesSync, openSync, rmSync, writeSync } from 'node:fs';
import { digestOf, type Digest } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import { blobMode, blobName, canonicalAtimeSeconds, canonicalMtimeSeconds } from '../layout.ts';

/** Files one behind the other. */
export interface FilesToWrite {
  readonly bytes: Uint8Array;
  readonly files: readonly { readonly sizeBytes: number; readonly executable: boolean }[];
}

/** Writes all of them; their digests, in order. */
export function writeFiles({ bytes, files }: FilesToWrite, folder: string): Digest[] {
  let at = 0;
  return files.map(({ sizeBytes, executable }) =>
    writeBlob(bytes.subarray(at, (at += sizeBytes)), executable, folder),
  );
}

/** Its digest; written once, whoever adds the same again. */
export function writeBlob(bytes: Uint8Array, executable: boolean, folder: string): Digest {
  const digest = digestOf(bytes);
  const path = `${folder}/${blobName(digest, executable)}`;
  let file: number;
  try {
    file = openSync(path, 'wx', blobMode(executable));
  } catch (error) {
    // The same was added before, or is just being written by another thread.
    if (isErrno(error, 'EEXIST')) return digest;
    throw error;
  }
  try {
    for (let done = 0; done < bytes.byteLength;) done += writeSync(file, bytes, done);
    // The mode whatever the umask is.
    fchmodSync(file, blobMode(executable));
    futimesSync(file, canonicalAtimeSeconds, canonicalMtimeSeconds);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return digest;
}
