// What the last import of a folder saw, as one file: an unchanged folder then costs its lstats and nothing else. Columns
// of numbers in shared memory, so that several threads can compare at once.
//
// A snapshot vouches for content in the store. It is written after that content is durable, and all are dropped when
// content turns out missing.
//
// File, little-endian: 16 bytes `cairn-snapshot-2`; 32 bytes SHA-256 of all that follows; u32 directories, u32 entries,
// u32 bytes of names, u32 0; then the columns in the order of `columnsOf`. Directories stand before those in them, so that
// each has its descendants right behind it. A directory's entries' names are one text, separated by NUL; its own path,
// relative to the top, stands before them, ended by NUL.

import { createHash } from 'node:crypto';
import { makeDigest, type Digest } from '../base/digest.ts';

/** The part of an lstat that tells whether something changed. */
export interface SeenStats {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/**
 * What is `left-out` is not in the tree, though it counts: an ignore file that is itself ignored. A `repository` is not in
 * the tree either; its digest's hash is its id, its stats are its index file's, and its fingerprint is of the rest: see
 * `RepositoryStamp`. All of them are 0 where the id has to be found out anew.
 */
export type SeenKind = 'file' | 'executable' | 'symlink' | 'directory' | 'left-out' | 'repository';

/** An entry of a directory as it was seen. */
export interface SeenEntry {
  readonly name: string;
  readonly kind: SeenKind;
  readonly stats: SeenStats;
  /** Of a file. */
  readonly digest: Digest | undefined;
  /** Set when the times are too young to be trusted: the file can have changed since, and still have the same. */
  readonly fingerprint: bigint | undefined;
}

/** A directory as it was seen. */
export interface SeenDirectory {
  /** Relative to the top, '' for the top itself. */
  readonly path: string;
  /** Ids of the ignore rules above it and inside it. */
  readonly rulesAbove: string;
  readonly rules: string;
  readonly stats: SeenStats;
  readonly isYoung: boolean;
  /** Git ignores it, but tracks files in it. */
  readonly isPartly: boolean;
  readonly tree: Digest;
  /** In it and below it. */
  readonly files: number;
  readonly entries: readonly SeenEntry[];
}

export const magic = Buffer.from('cairn-snapshot-2');
export const headerBytes = magic.length + 32 + 16;
export const kinds: readonly SeenKind[] = [
  'file',
  'executable',
  'symlink',
  'directory',
  'left-out',
  'repository',
];
export const youngFlag = 0x80;
export const digestFlag = 0x40;
export const youngDirectoryFlag = 1;
export const partlyFlag = 2;

export interface Columns {
  /** mtime, ctime and inode of each directory. */
  readonly directoryTimes: Float64Array;
  readonly treeSizes: Float64Array;
  /** size, mtime, ctime and inode of each entry. */
  readonly entryStats: Float64Array;
  readonly fingerprints: BigUint64Array;
  /** Where each directory's descendants end, its entries end, and its names end. */
  readonly ends: Uint32Array;
  readonly files: Uint32Array;
  /** 16 bytes each: the rules above, the rules inside. */
  readonly rules: Uint8Array;
  readonly treeHashes: Uint8Array;
  readonly hashes: Uint8Array;
  readonly directoryFlags: Uint8Array;
  readonly entryKinds: Uint8Array;
  readonly names: Uint8Array;
}

export interface Counts {
  readonly directories: number;
  readonly entries: number;
  readonly nameBytes: number;
}

// Wide columns first, so that all are aligned.
export function columnsOf(memory: ArrayBufferLike, { directories, entries, nameBytes }: Counts): Columns {
  let at = headerBytes;
  const take = (bytes: number): number => {
    const start = at;
    at += bytes;
    return start;
  };
  return {
    directoryTimes: new Float64Array(memory, take(24 * directories), 3 * directories),
    treeSizes: new Float64Array(memory, take(8 * directories), directories),
    entryStats: new Float64Array(memory, take(32 * entries), 4 * entries),
    fingerprints: new BigUint64Array(memory, take(8 * entries), entries),
    ends: new Uint32Array(memory, take(12 * directories), 3 * directories),
    files: new Uint32Array(memory, take(4 * directories), directories),
    rules: new Uint8Array(memory, take(32 * directories), 32 * directories),
    treeHashes: new Uint8Array(memory, take(32 * directories), 32 * directories),
    hashes: new Uint8Array(memory, take(32 * entries), 32 * entries),
    directoryFlags: new Uint8Array(memory, take(directories), directories),
    entryKinds: new Uint8Array(memory, take(entries), entries),
    names: new Uint8Array(memory, take(nameBytes), nameBytes),
  };
}

export function sizeOf({ directories, entries, nameBytes }: Counts): number {
  return (
    headerBytes + directories * (24 + 8 + 12 + 4 + 32 + 32 + 1) + entries * (32 + 8 + 32 + 1) + nameBytes
  );
}

/** A snapshot in memory. Directories and entries are known by their numbers. */
export class Snapshot {
  /** To be handed to another thread, which makes a Snapshot of it as well. */
  readonly memory: ArrayBufferLike;
  readonly directories: number;
  readonly entries: number;
  readonly columns: Columns;
  readonly #names: Buffer;

  constructor(memory: ArrayBufferLike) {
    const [directories, entries, nameBytes] = new Uint32Array(memory, magic.length + 32, 3);
    this.memory = memory;
    this.directories = directories!;
    this.entries = entries!;
    this.columns = columnsOf(memory, { directories: directories!, entries: entries!, nameBytes: nameBytes! });
    const { names } = this.columns;
    this.#names = Buffer.from(names.buffer, names.byteOffset, names.byteLength);
  }

  /** Undefined when the bytes are not a whole snapshot: a file that was being written when the power went. */
  static parse(memory: ArrayBufferLike): Snapshot | undefined {
    const bytes = Buffer.from(memory);
    if (bytes.length < headerBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
    const hash = createHash('sha256')
      .update(bytes.subarray(magic.length + 32))
      .digest();
    if (!hash.equals(bytes.subarray(magic.length, magic.length + 32))) return undefined;
    return new Snapshot(memory);
  }

  /** Tells it from every other: the hash of all that it says. */
  get id(): string {
    return snapshotId(new Uint8Array(this.memory));
  }

  /** A directory's path and the names of its entries, in the entries' order. */
  names(directory: number): { readonly path: string; readonly names: readonly string[] } {
    const text = this.#names.toString('utf8', this.firstName(directory), this.firstName(directory + 1));
    const [path, ...names] = text.split('\0');
    return { path: path!, names };
  }

  firstEntry(directory: number): number {
    return directory === 0 ? 0 : this.columns.ends[3 * directory - 2]!;
  }

  /** Where a directory's names start, in bytes. */
  firstName(directory: number): number {
    return directory === 0 ? 0 : this.columns.ends[3 * directory - 1]!;
  }

  /** The number behind the last directory that lies in or below this one. */
  endOfSubtree(directory: number): number {
    return this.columns.ends[3 * directory]!;
  }

  /** The directories right in this one, in the order of its entries. */
  *subdirectories(directory: number): Generator<number> {
    const end = this.endOfSubtree(directory);
    for (let child = directory + 1; child < end; child = this.endOfSubtree(child)) yield child;
  }

  /** True when no name can have come to the directory or gone from it. */
  isSameDirectory(directory: number, stats: SeenStats): boolean {
    const { directoryTimes, directoryFlags } = this.columns;
    return (
      (directoryFlags[directory]! & youngDirectoryFlag) === 0 &&
      directoryTimes[3 * directory] === stats.mtimeMs &&
      directoryTimes[3 * directory + 1] === stats.ctimeMs &&
      directoryTimes[3 * directory + 2] === stats.ino
    );
  }

  /** True when an entry has the same size, times and inode. */
  isSameEntry(entry: number, stats: SeenStats): boolean {
    const { entryStats } = this.columns;
    const at = 4 * entry;
    return (
      entryStats[at] === stats.size &&
      entryStats[at + 1] === stats.mtimeMs &&
      entryStats[at + 2] === stats.ctimeMs &&
      entryStats[at + 3] === stats.ino
    );
  }

  /** False for an entry that was kept without any. */
  hasStats(entry: number): boolean {
    return this.columns.entryStats[4 * entry + 3] !== 0;
  }

  isYoung(entry: number): boolean {
    return (this.columns.entryKinds[entry]! & youngFlag) !== 0;
  }

  kind(entry: number): SeenKind {
    return kinds[this.columns.entryKinds[entry]! & 0x0f]!;
  }

  entry(entry: number, name: string): SeenEntry {
    const { entryStats, entryKinds, hashes, fingerprints } = this.columns;
    const [size, mtimeMs, ctimeMs, ino] = entryStats.subarray(4 * entry, 4 * entry + 4);
    const hasDigest = (entryKinds[entry]! & digestFlag) !== 0;
    return {
      name,
      kind: this.kind(entry),
      stats: { size: size!, mtimeMs: mtimeMs!, ctimeMs: ctimeMs!, ino: ino! },
      digest: hasDigest ? makeDigest(hex(hashes, 32 * entry, 32), size!) : undefined,
      fingerprint: this.isYoung(entry) ? fingerprints[entry]! : undefined,
    };
  }

  tree(directory: number): Digest {
    const { treeHashes, treeSizes } = this.columns;
    return makeDigest(hex(treeHashes, 32 * directory, 32), treeSizes[directory]!);
  }

  files(directory: number): number {
    return this.columns.files[directory]!;
  }

  isPartly(directory: number): boolean {
    return (this.columns.directoryFlags[directory]! & partlyFlag) !== 0;
  }

  fingerprint(entry: number): bigint {
    return this.columns.fingerprints[entry]!;
  }

  /** The id of an entry that is a repository. */
  repositoryId(entry: number): string {
    return hex(this.columns.hashes, 32 * entry, 32);
  }

  rulesAbove(directory: number): string {
    return hex(this.columns.rules, 32 * directory, 16);
  }

  /** The directory as it was seen, its entries included. */
  seen(directory: number): SeenDirectory {
    const { path, names } = this.names(directory);
    const first = this.firstEntry(directory);
    const { directoryTimes, directoryFlags, rules } = this.columns;
    const [mtimeMs, ctimeMs, ino] = directoryTimes.subarray(3 * directory, 3 * directory + 3);
    return {
      path,
      rulesAbove: this.rulesAbove(directory),
      rules: hex(rules, 32 * directory + 16, 16),
      stats: { size: 0, mtimeMs: mtimeMs!, ctimeMs: ctimeMs!, ino: ino! },
      isYoung: (directoryFlags[directory]! & youngDirectoryFlag) !== 0,
      isPartly: this.isPartly(directory),
      tree: this.tree(directory),
      files: this.files(directory),
      entries: names.map((name, at) => this.entry(first + at, name)),
    };
  }
}

/** The id of a snapshot, from its bytes. */
export function snapshotId(bytes: Uint8Array): string {
  return hex(bytes, magic.length, 32);
}

function hex(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('hex');
}
