// Where things lie inside a store's folder, and what form its files have. Names only: reads and writes nothing.

import { join } from 'node:path';
import { digestHash, type Digest } from './base/digest.ts';

/** Raised when an older cairn could not read what a newer one writes. Kept in the file `format`. */
export const storeFormat = 'cairn-store-4';
/** The forms before it, which are brought up to it. */
export const formersOfStoreFormat = ['cairn-store-2', 'cairn-store-3'] as const;

/** Every blob file's modification time, in seconds: the same on every machine, and not 0, which some tools dislike. */
export const canonicalMtimeSeconds = 1;

/**
 * Every blob file's access time, in seconds: the largest that 32 bits hold. Reading moves an access time only if it lies
 * before the last change or a day back (mount(8), relatime); one in the future stays, and tells nobody who has read.
 */
export const canonicalAtimeSeconds = 2 ** 31 - 1;

/**
 * Permission bits of directories that steps are run on: they write into folders of their root, without the privileges
 * that would let them into read-only ones, and what they write goes elsewhere (an overlay).
 */
export const stepDirectoryMode = 0o755;
/** Those of directories that people are given. */
export const peopleDirectoryMode = 0o555;

/** A blob file's permission bits. */
export function blobMode(executable: boolean): number {
  return executable ? 0o555 : 0o444;
}

/** The name of a file that holds a blob: its hash, and `.x` when it is executable. */
export type BlobName = string;

export function blobName(digest: Digest, executable: boolean): BlobName {
  return executable ? `${digestHash(digest)}.x` : digestHash(digest);
}

/** The folders and files of a store. */
export interface Layout {
  readonly root: string;
  readonly format: string;
  readonly blobs: string;
  readonly trees: string;
  readonly results: string;
  readonly database: string;
  readonly logs: string;
  readonly temporary: string;
  readonly work: string;
  readonly compileCaches: string;
  readonly failed: string;
  readonly corrupt: string;
  readonly imports: string;
  readonly downloads: string;
  readonly served: string;
}

export function layoutOf(root: string): Layout {
  return {
    root,
    format: join(root, 'format'),
    blobs: join(root, 'blobs'),
    trees: join(root, 'trees'),
    results: join(root, 'results'),
    database: join(root, 'db'),
    logs: join(root, 'logs'),
    temporary: join(root, 'tmp'),
    work: join(root, 'work'),
    compileCaches: join(root, 'compile-caches'),
    failed: join(root, 'failed'),
    corrupt: join(root, 'corrupt'),
    imports: join(root, 'imports'),
    downloads: join(root, 'downloads'),
    served: join(root, 'served'),
  };
}

/** The folders that blobs are spread over: 00 to ff. */
export const shards: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

export function blobPath(layout: Layout, name: BlobName): string {
  return `${layout.blobs}/${name.slice(0, 2)}/${name}`;
}

/** True for where a store, any store, hands a result out to people: what a link to a result says. */
export function isResultPath(path: string): boolean {
  return /^\/.*\/results\/[0-9a-f]{64}(?:\.x)?\/content(?:\/|$)/s.test(path);
}
