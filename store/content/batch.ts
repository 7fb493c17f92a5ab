// New content on its way into the store: files in a folder of the session and directories in memory, until commit.

import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { digestHash, digestOf, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { bug, isErrno } from '../base/errors.ts';
import { makeFolders } from '../base/make-folder.ts';
import { isWhole } from './blobs.ts';
import type { Database } from '../records/database.ts';
import { explainWriteError } from './disk-errors.ts';
import type { Durability } from './durability.ts';
import type { FilePool } from '../content/file-pool.ts';
import { blobName, blobPath, type BlobName, type Layout } from '../layout.ts';
import { applyChanges, collectChanges, type Change } from '../records/records.ts';
import { forgetLeft, noteLeft, type StoredLeftBlobs } from '../records/left-blobs.ts';
import { removeTree } from '../base/remove-tree.ts';
import { MissingBlob, type Batch, type RecordWriter, type Trees } from '../store.ts';
import { settle, takeFile } from './take-file.ts';
import { takeFolder } from './take-folder.ts';
import { emptyTree, encodeDirectory, type Directory, type TreeNode } from '../trees/tree.ts';
import { WritingAside } from './write-aside.ts';
import { writeStream } from './write-stream.ts';

/** What a batch needs of its store. */
export interface BatchContext {
  readonly layout: Layout;
  readonly database: Database;
  readonly trees: Trees;
  readonly left: StoredLeftBlobs;
  readonly durability: Durability;
  readonly pool: () => FilePool;
  /** Keeps content, named by hash, from garbage collection; what it gives tells that its records are there. */
  readonly beginCommit: (hashes: Iterable<string>) => () => void;
  /** Told how many bytes a commit has brought into the store. */
  readonly onPlaced: (sizeBytes: number) => void;
  /** A path for the batch's folder; nothing is there yet. */
  readonly folder: string;
  /** True: its directories may name no blob that was left elsewhere. */
  readonly isWhole: boolean;
}

/** Other work gets a turn after this many renames. */
const renamesATurn = 1000;

export class FileBatch implements Batch {
  readonly #context: BatchContext;
  readonly #directories = new Map<Digest, { readonly directory: Directory; readonly bytes: Uint8Array }>();
  /** Files in the batch's folder, by blob name, with their sizes. */
  readonly #staged = new Map<BlobName, number>();
  /** Files that the store has already, likewise. */
  readonly #shared = new Map<BlobName, number>();
  /** The bytes of those, where they were given, should they be collected before the commit. */
  readonly #spare = new Map<BlobName, Uint8Array>();
  /** Where blobs stay that do not come with it. */
  readonly #left = new Map<Digest, string>();
  readonly #aside: WritingAside;
  readonly #changes: Change[] = [];
  #state: 'new' | 'filled' | 'ended' = 'new';
  #nextPart = 0;

  constructor(context: BatchContext) {
    this.#context = context;
    this.#aside = new WritingAside(context.pool, () => this.folder());
  }

  addBytes(bytes: Uint8Array, executable = false): Digest {
    const digest = digestOf(bytes);
    if (this.#isKnown(digest, executable)) {
      this.#spare.set(blobName(digest, executable), bytes);
      return digest;
    }
    this.#stageBytes(bytes, digest, executable);
    return digest;
  }

  #stageBytes(bytes: Uint8Array, digest: Digest, executable: boolean): void {
    const part = this.#partPath();
    try {
      writeFileSync(part, bytes, { flag: 'wx' });
      this.adopt(part, digest, executable);
    } catch (error) {
      rmSync(part, { force: true });
      throw this.#explained(error);
    }
  }

  async addBytesAside(bytes: Uint8Array, executable: boolean): Promise<Digest> {
    this.#checkOpen();
    try {
      const digest = await this.#aside.add(bytes, executable);
      this.stage(digest, executable);
      return digest;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async addStream(
    chunks: AsyncIterable<Uint8Array>,
    options: { readonly executable?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<Digest> {
    const part = this.#partPath();
    try {
      const digest = await writeStream(part, chunks, options.signal);
      this.adopt(part, digest, options.executable ?? false);
      return digest;
    } catch (error) {
      rmSync(part, { force: true });
      throw this.#explained(error);
    }
  }

  async takeFile(path: string, executable: boolean): Promise<Digest> {
    const { size: sizeBytes, nlink } = await lstat(path);
    const digest = await takeFile({ path, executable, sizeBytes, isShared: nlink > 1 }, this.folder());
    this.stage(digest, executable);
    return digest;
  }

  adopt(path: string, digest: Digest, executable: boolean): void {
    settle(path, digest, executable, this.folder());
    this.stage(digest, executable);
  }

  addDirectory(directory: Directory): Digest {
    this.#checkOpen();
    const bytes = encodeDirectory(directory);
    const digest = digestOf(bytes);
    if (digest !== emptyTree.digest) this.#directories.set(digest, { directory, bytes });
    return digest;
  }

  leave(digest: Digest, place: string): void {
    this.#checkOpen();
    this.#left.set(digest, place);
  }

  directory(digest: Digest): Directory | undefined {
    return this.#directories.get(digest)?.directory ?? this.#context.trees.get(digest);
  }

  async takeFolder(folder: string): Promise<TreeNode> {
    try {
      return await takeFolder(folder, {
        folder: this.folder(),
        pool: this.#context.pool,
        addFile: (digest, executable) => this.stage(digest, executable),
        addDirectory: (directory) => this.addDirectory(directory),
      });
    } catch (error) {
      // What is wrong with the folder itself is not the store's.
      throw isErrnoBelow(error, folder) ? error : this.#explained(error);
    }
  }

  async commit(write?: (records: RecordWriter) => void): Promise<void> {
    this.#checkOpen();
    if (write !== undefined) this.#changes.push(...collectChanges(write));
    const references = this.#blobsElsewhere();
    const hashes = new Set([...this.#staged.keys(), ...this.#shared.keys()].map(hashIn));
    for (const digest of [...references, ...this.#directories.keys(), ...this.#left.keys()])
      hashes.add(digestHash(digest));
    const endCommit = hashes.size > 0 ? this.#context.beginCommit(hashes) : undefined;
    try {
      const elsewhere = this.#notHere(references);
      await this.#place();
      await this.#record(elsewhere);
    } catch (error) {
      throw this.#explained(error);
    } finally {
      endCommit?.();
      await this.discard();
    }
  }

  async discard(): Promise<void> {
    const hadFolder = this.#state === 'filled';
    await this.#aside.settled();
    this.#state = 'ended';
    if (hadFolder) removeTree(this.#context.folder);
  }

  /** The batch's folder on disk, for threads that put files there by their blob names. */
  folder(): string {
    this.#checkOpen();
    if (this.#state === 'new') makeFolders(this.#context.folder);
    this.#state = 'filled';
    return this.#context.folder;
  }

  /** Counts in a file that was put into the batch's folder by its blob name. */
  stage(digest: Digest, executable: boolean): void {
    this.#staged.set(blobName(digest, executable), digestSize(digest));
  }

  /** Counts in a file that the store was found to have. */
  share(digest: Digest, executable: boolean): void {
    this.#shareName(blobName(digest, executable), digestSize(digest));
  }

  // Blobs that its directories name, and that nobody has given to this batch.
  #blobsElsewhere(): Set<Digest> {
    const elsewhere = new Set<Digest>();
    for (const { directory } of this.#directories.values())
      for (const node of directory.values()) {
        if (node.kind !== 'blob') continue;
        const name = blobName(node.digest, node.executable);
        if (!this.#staged.has(name) && !this.#shared.has(name)) elsewhere.add(node.digest);
      }
    return elsewhere;
  }

  // Those that others have, for all that is known.
  #notHere(blobs: Iterable<Digest>): Set<Digest> {
    const { isWhole: mustBeWhole, left } = this.#context;
    const absent = [...blobs].filter((digest) => !this.#isHere(digest));
    const lost = absent.filter((digest) => mustBeWhole || !(this.#left.has(digest) || left.has(digest)));
    if (lost.length > 0) throw new MissingBlob(lost[0]!, { others: lost });
    return new Set(absent);
  }

  #isHere(digest: Digest): boolean {
    const { layout } = this.#context;
    return [false, true].some((executable) =>
      isWhole(layout, blobName(digest, executable), digestSize(digest)),
    );
  }

  // What is there now stays, since it was named before.
  async #place(): Promise<void> {
    const { layout, durability, folder, onPlaced } = this.#context;
    for (const [name, sizeBytes] of this.#shared)
      if (!isWhole(layout, name, sizeBytes)) this.#stageAgain(name, sizeBytes);
    for (const [name, sizeBytes] of this.#staged)
      if (isWhole(layout, name, sizeBytes)) this.#shareName(name, sizeBytes);
    const fresh = [...this.#staged.keys()];
    await durability.flush(fresh.map((name) => `${folder}/${name}`));
    for (const [at, name] of fresh.entries()) {
      if (at % renamesATurn === renamesATurn - 1) await setImmediate();
      renameSync(`${folder}/${name}`, blobPath(layout, name));
      onPlaced(this.#staged.get(name)!);
    }
  }

  async #record(elsewhere: ReadonlySet<Digest>): Promise<void> {
    const { database, left } = this.#context;
    const isAnyRecord = this.#directories.size + this.#changes.length + this.#left.size > 0;
    if (!isAnyRecord && !left.any()) return;
    const table = database.table('directories');
    let lost: Digest | undefined;
    await database.transaction(() => {
      // Garbage collection deletes directories inside such a transaction: what is here now, all below it is.
      lost = this.#lostDirectory() ?? this.#lostElsewhere(elsewhere);
      if (lost !== undefined) return;
      if (left.any()) forgetLeft(database, [...this.#staged, ...this.#shared].map(digestIn));
      for (const [digest, place] of this.#left) if (!this.#isHere(digest)) noteLeft(database, digest, place);
      for (const [digest, { bytes }] of this.#directories) {
        if (!table.doesExist(digest)) void table.put(digest, bytes);
      }
      applyChanges(database, this.#changes);
    });
    if (lost !== undefined) throw new MissingBlob(lost);
  }

  // A directory that one of this batch's names, and that neither the batch nor the store has.
  #lostDirectory(): Digest | undefined {
    const table = this.#context.database.table('directories');
    for (const { directory } of this.#directories.values())
      for (const node of directory.values()) {
        if (node.kind !== 'tree' || node.digest === emptyTree.digest) continue;
        if (!this.#directories.has(node.digest) && !table.doesExist(node.digest)) return node.digest;
      }
    return undefined;
  }

  // What others were found to have, and what is not known to be there any more: it may have come, or been collected.
  #lostElsewhere(elsewhere: ReadonlySet<Digest>): Digest | undefined {
    const { left } = this.#context;
    return [...elsewhere].find(
      (digest) => !this.#left.has(digest) && !left.has(digest) && !this.#isHere(digest),
    );
  }

  // Found in the store when it was looked for, and collected since. Of most, this batch has a file or the bytes of its own.
  #stageAgain(name: BlobName, sizeBytes: number): void {
    const digest = makeDigest(hashIn(name), sizeBytes);
    const bytes = this.#spare.get(name);
    this.#shared.delete(name);
    if (bytes !== undefined) this.#stageBytes(bytes, digest, name.endsWith('.x'));
    else if (existsSync(`${this.#context.folder}/${name}`)) this.#staged.set(name, sizeBytes);
    else throw new MissingBlob(digest);
  }

  #isKnown(digest: Digest, executable: boolean): boolean {
    this.#checkOpen();
    const name = blobName(digest, executable);
    if (this.#staged.has(name)) return true;
    if (!isWhole(this.#context.layout, name, digestSize(digest))) return false;
    this.#shareName(name, digestSize(digest));
    return true;
  }

  #shareName(name: BlobName, sizeBytes: number): void {
    this.#staged.delete(name);
    this.#shared.set(name, sizeBytes);
  }

  #partPath(): string {
    return `${this.folder()}/part-${this.#nextPart++}`;
  }

  #checkOpen(): void {
    if (this.#state === 'ended') bug('a batch was used after it had ended');
  }

  #explained(error: unknown): unknown {
    return explainWriteError(error, this.#context.layout.root);
  }
}

function digestIn([name, sizeBytes]: readonly [BlobName, number]): Digest {
  return makeDigest(hashIn(name), sizeBytes);
}

function hashIn(name: BlobName): string {
  return name.slice(0, 64);
}

function isErrnoBelow(error: unknown, folder: string): boolean {
  return (
    isErrno(error, 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'ENOENT', 'EISDIR') &&
    error.path?.startsWith(folder) === true
  );
}
