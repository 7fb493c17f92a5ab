// Puts a new snapshot together from directories that were looked at and whole subtrees copied from the last one.

import { createHash } from 'node:crypto';
import { digestHash, digestSize } from '../base/digest.ts';
import {
  columnsOf,
  digestFlag,
  kinds,
  magic,
  partlyFlag,
  sizeOf,
  youngDirectoryFlag,
  youngFlag,
  type Columns,
  type Counts,
  type SeenDirectory,
  type SeenEntry,
  type Snapshot,
} from './import-snapshot.ts';

type Part = NewPart | CopiedPart;
interface NewPart {
  readonly kind: 'new';
  readonly first: number;
  seen: SeenDirectory | undefined;
  end: number;
}
interface CopiedPart {
  readonly kind: 'copied';
  readonly snapshot: Snapshot;
  readonly from: number;
  readonly to: number;
}

/** Directories come in the order of the tree: each before those in it. */
export class SnapshotBuilder {
  readonly #parts: Part[] = [];
  #directories = 0;

  /** A directory whose own facts follow, after those of the directories in it, by calling what is returned. */
  open(): (seen: SeenDirectory) => void {
    const part: NewPart = { kind: 'new', first: this.#directories++, seen: undefined, end: 0 };
    this.#parts.push(part);
    return (seen) => {
      part.seen = seen;
      part.end = this.#directories;
    };
  }

  /** A directory with all below it, as it stands in another snapshot. */
  copy(snapshot: Snapshot, directory: number): void {
    const to = snapshot.endOfSubtree(directory);
    this.#parts.push({ kind: 'copied', snapshot, from: directory, to });
    this.#directories += to - directory;
  }

  /** The snapshot's bytes. */
  encode(): Buffer {
    const names = this.#parts.map((part) => (part.kind === 'new' ? encodeNames(part.seen!) : namesOf(part)));
    const counts: Counts = {
      directories: this.#directories,
      entries: this.#parts.reduce((sum, part) => sum + entriesOf(part), 0),
      nameBytes: names.reduce((sum, bytes) => sum + bytes.length, 0),
    };
    const bytes = Buffer.alloc(sizeOf(counts));
    bytes.writeUInt32LE(counts.directories, magic.length + 32);
    bytes.writeUInt32LE(counts.entries, magic.length + 36);
    bytes.writeUInt32LE(counts.nameBytes, magic.length + 40);
    const writer = new ColumnWriter(columnsOf(bytes.buffer, counts));
    for (const [at, part] of this.#parts.entries()) {
      if (part.kind === 'new') writer.directory(part.seen!, part.end, names[at]!);
      else writer.copy(part, names[at]!);
    }
    magic.copy(bytes);
    createHash('sha256')
      .update(bytes.subarray(magic.length + 32))
      .digest()
      .copy(bytes, magic.length);
    return bytes;
  }
}

function entriesOf(part: Part): number {
  if (part.kind === 'new') return part.seen!.entries.length;
  return part.snapshot.firstEntry(part.to) - part.snapshot.firstEntry(part.from);
}

function encodeNames({ path, entries }: SeenDirectory): Uint8Array {
  return Buffer.from([path, ...entries.map(({ name }) => name)].join('\0'));
}

function namesOf({ snapshot, from, to }: CopiedPart): Uint8Array {
  return snapshot.columns.names.subarray(snapshot.firstName(from), snapshot.firstName(to));
}

/** Fills columns from their beginning. */
class ColumnWriter {
  readonly #columns: Columns;
  #directory = 0;
  #entry = 0;
  #name = 0;

  constructor(columns: Columns) {
    this.#columns = columns;
  }

  directory(seen: SeenDirectory, end: number, names: Uint8Array): void {
    const { directoryTimes, treeSizes, ends, files, rules, treeHashes, directoryFlags } = this.#columns;
    const at = this.#directory++;
    directoryTimes.set([seen.stats.mtimeMs, seen.stats.ctimeMs, seen.stats.ino], 3 * at);
    treeSizes[at] = digestSize(seen.tree);
    files[at] = seen.files;
    rules.set(Buffer.from(seen.rulesAbove + seen.rules, 'hex'), 32 * at);
    treeHashes.set(Buffer.from(digestHash(seen.tree), 'hex'), 32 * at);
    directoryFlags[at] = (seen.isYoung ? youngDirectoryFlag : 0) | (seen.isPartly ? partlyFlag : 0);
    for (const entry of seen.entries) this.#writeEntry(entry);
    this.#writeNames(names);
    ends.set([end, this.#entry, this.#name], 3 * at);
  }

  copy({ snapshot, from, to }: CopiedPart, names: Uint8Array): void {
    const [first, last] = [snapshot.firstEntry(from), snapshot.firstEntry(to)];
    const [source, target] = [snapshot.columns, this.#columns];
    const [directory, entry, name] = [this.#directory, this.#entry, this.#name];
    for (const [column, width] of directoryColumns)
      target[column].set(source[column].subarray(width * from, width * to), width * directory);
    for (const [column, width] of entryColumns)
      target[column].set(source[column].subarray(width * first, width * last) as never, width * entry);
    const moved = [directory - from, entry - first, name - snapshot.firstName(from)];
    for (let at = 3 * from; at < 3 * to; at++)
      target.ends[at + 3 * (directory - from)] = source.ends[at]! + moved[at % 3]!;
    this.#directory += to - from;
    this.#entry += last - first;
    this.#writeNames(names);
  }

  #writeEntry({ kind, stats, digest, fingerprint }: SeenEntry): void {
    const { entryStats, fingerprints, hashes, entryKinds } = this.#columns;
    const at = this.#entry++;
    entryStats.set([stats.size, stats.mtimeMs, stats.ctimeMs, stats.ino], 4 * at);
    entryKinds[at] =
      kinds.indexOf(kind) |
      (digest === undefined ? 0 : digestFlag) |
      (fingerprint === undefined ? 0 : youngFlag);
    fingerprints[at] = fingerprint ?? 0n;
    if (digest !== undefined) hashes.set(Buffer.from(digestHash(digest), 'hex'), 32 * at);
  }

  #writeNames(names: Uint8Array): void {
    this.#columns.names.set(names, this.#name);
    this.#name += names.length;
  }
}

/** Columns that are copied as they are, with how many numbers one directory or entry has in each. */
const directoryColumns = [
  ['directoryTimes', 3],
  ['treeSizes', 1],
  ['files', 1],
  ['rules', 32],
  ['treeHashes', 32],
  ['directoryFlags', 1],
] as const;
const entryColumns = [
  ['entryStats', 4],
  ['fingerprints', 1],
  ['hashes', 32],
  ['entryKinds', 1],
] as const;
