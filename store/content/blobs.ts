// The blobs on disk: one read-only file each, found by digest. Knows nothing of trees, batches or records.

import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  renameSync,
  rmSync,
  utimesSync,
  type Stats,
} from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { digestOf, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { makeFolders } from '../base/make-folder.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { hashFile } from './hash-file.ts';
import {
  blobMode,
  blobName,
  blobPath,
  canonicalAtimeSeconds,
  canonicalMtimeSeconds,
  type BlobName,
  type Layout,
} from '../layout.ts';
import { MissingBlob, type Blobs } from '../store.ts';

export interface BlobsContext {
  readonly layout: Layout;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
  /** True for a blob that never came here: that it is not there is no loss. */
  readonly isLeft: (digest: Digest) => boolean;
  /** Told when content turns out damaged or gone. */
  readonly onLoss: (digest: Digest) => void;
}

/** Blobs of one store. */
export class FileBlobs implements Blobs {
  readonly #context: BlobsContext;
  readonly #layout: Layout;

  constructor(context: BlobsContext) {
    this.#context = context;
    this.#layout = context.layout;
  }

  has(digest: Digest): boolean {
    return this.find(digest, false) !== undefined || this.find(digest, true) !== undefined;
  }

  /** The file for exactly this executable bit when it has the right size, else undefined. Its content is not read. */
  find(digest: Digest, executable: boolean): { readonly path: string; readonly stats: Stats } | undefined {
    const path = blobPath(this.#layout, blobName(digest, executable));
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile() || stats.size !== digestSize(digest)) return undefined;
    return { path, stats };
  }

  async path(digest: Digest, executable: boolean): Promise<string> {
    const found = this.find(digest, executable);
    if (found === undefined) return this.#otherVariant(digest, executable);
    if (!isCanonical(found.stats, executable)) await this.#restore(digest, executable);
    return found.path;
  }

  async verified(digest: Digest): Promise<string> {
    for (const executable of [false, true]) {
      const found = this.find(digest, executable);
      if (found === undefined) continue;
      if ((await hashFile(found.path)) === digest) return found.path;
      this.#setAside(digest, executable);
    }
    return this.#lost(digest);
  }

  async unaltered(digest: Digest): Promise<string> {
    for (const executable of [false, true]) {
      const found = this.find(digest, executable);
      if (found !== undefined && isCanonical(found.stats, executable)) return found.path;
    }
    return this.path(digest, false);
  }

  withHash(hash: string): Digest | undefined {
    for (const name of [hash, `${hash}.x`]) {
      const stats = lstatSync(blobPath(this.#layout, name), { throwIfNoEntry: false });
      if (stats?.isFile() === true) return makeDigest(hash, stats.size);
    }
    return undefined;
  }

  async read(digest: Digest): Promise<Uint8Array> {
    for (const executable of [false, true]) {
      const bytes = await this.#readVariant(digest, executable);
      if (bytes !== undefined) return bytes;
    }
    return this.#lost(digest);
  }

  // Moves a damaged file out of the way, where a person can look at it.
  #setAside(digest: Digest, executable: boolean): void {
    const name = blobName(digest, executable);
    makeFolders(this.#layout.corrupt);
    renameIfThere(blobPath(this.#layout, name), `${this.#layout.corrupt}/${name}`);
  }

  async #readVariant(digest: Digest, executable: boolean): Promise<Uint8Array | undefined> {
    const found = this.find(digest, executable);
    if (found === undefined) return undefined;
    const bytes = await readFile(found.path);
    if (digestOf(bytes) === digest) return bytes;
    this.#setAside(digest, executable);
    return undefined;
  }

  // Somebody has touched the file. Its bytes decide: whole means that only time and mode are wrong.
  async #restore(digest: Digest, executable: boolean): Promise<void> {
    await this.#makeFrom({ digest, executable, isFromProgram: executable });
  }

  // The executable bit belongs to the inode, so the other variant is a file of its own.
  async #otherVariant(digest: Digest, executable: boolean): Promise<string> {
    if (this.find(digest, !executable) === undefined) return this.#lost(digest);
    return this.#makeFrom({ digest, executable, isFromProgram: !executable });
  }

  // A file of our own, in place of one that may be another user's. Gives its path.
  async #makeFrom({
    digest,
    executable,
    isFromProgram,
  }: {
    readonly digest: Digest;
    readonly executable: boolean;
    readonly isFromProgram: boolean;
  }): Promise<string> {
    const path = blobPath(this.#layout, blobName(digest, executable));
    const copy = this.#context.freshPath('variant');
    try {
      copyFileSync(blobPath(this.#layout, blobName(digest, isFromProgram)), copy, constants.COPYFILE_FICLONE);
      if ((await hashFile(copy)) !== digest) {
        this.#setAside(digest, isFromProgram);
        this.#lost(digest);
      }
      makeCanonical(copy, executable);
      await sync(copy);
      renameSync(copy, path);
    } finally {
      rmSync(copy, { force: true });
    }
    return path;
  }

  #lost(digest: Digest): never {
    if (!this.#context.isLeft(digest)) this.#context.onLoss(digest);
    throw new MissingBlob(digest);
  }
}

/** True when nobody has written to a blob's file since it was put there. */
export function isCanonical(stats: Stats, executable: boolean): boolean {
  return stats.mtimeMs === canonicalMtimeSeconds * 1000 && (stats.mode & 0o7777) === blobMode(executable);
}

/** Gives a file a blob's mode and time. */
export function makeCanonical(path: string, executable: boolean): void {
  chmodSync(path, blobMode(executable));
  utimesSync(path, canonicalAtimeSeconds, canonicalMtimeSeconds);
}

/** True when a file by this name is there with the size that a blob of `sizeBytes` has. */
export function isWhole(layout: Layout, name: BlobName, sizeBytes: number): boolean {
  return lstatSync(blobPath(layout, name), { throwIfNoEntry: false })?.size === sizeBytes;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
