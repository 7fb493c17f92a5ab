// How much room a store takes with some of its content: blobs by their sizes, folders of trees by what is in them, and the
// rest as it is on the disk. Reads Merkle nodes, and no file.

import { lstatSync, readdirSync } from 'node:fs';
import { digestHash, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { shards, type Layout } from '../layout.ts';
import type { Database } from '../records/database.ts';
import { readDirectory } from '../records/reachable.ts';
import { contentName, entryHash, sealName } from '../trees/tree-folders.ts';
import { roomOf, type LiveSet } from './live-set.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { measureFolder } from './usage.ts';

/** A folder of a tree, or a file of a blob, that steps or people were given. */
export interface Entry {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Only steps are run on it: it is made again when it is wanted. */
  readonly isForSteps: boolean;
}

export class Room {
  readonly #restBytes: number;
  readonly #blobBytes: number;
  readonly entries: readonly Entry[];

  private constructor(restBytes: number, blobBytes: number, entries: readonly Entry[]) {
    this.#restBytes = restBytes;
    this.#blobBytes = blobBytes;
    this.entries = entries;
  }

  static async measure({ layout, database }: MaintenanceContext): Promise<Room> {
    const {
      database: records,
      logs,
      failed,
      corrupt,
      imports,
      downloads,
      served,
      work,
      compileCaches,
    } = layout;
    let restBytes = 0;
    for (const folder of [records, logs, failed, corrupt, imports, downloads, served, work, compileCaches])
      restBytes += (await measureFolder(folder)).sizeBytes;
    return new Room(restBytes, blobBytes(layout), entriesOf(layout, database));
  }

  /** The room that the store takes as it is. */
  all(): number {
    return (
      this.#restBytes + this.#blobBytes + this.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    );
  }

  /** The room that the store takes when only what lives is left. */
  withOnly({ content, sizeBytes }: LiveSet): number {
    let total = this.#restBytes + sizeBytes;
    for (const entry of this.entries)
      if (content.directories.has(entry.digest) || content.blobs.has(entry.digest)) total += entry.sizeBytes;
    return total;
  }

  /** Entries for steps that nobody uses, looked at longest ago first, until `tooMuchBytes` are found. */
  idleEntries(tooMuchBytes: number, inUse: ReadonlySet<Digest>): Entry[] {
    const idle = this.entries
      .filter(({ isForSteps, digest }) => isForSteps && !inUse.has(digest))
      .map((entry) => ({ entry, sealedMs: sealedMs(entry) }))
      .sort((a, b) => a.sealedMs - b.sealedMs);
    const chosen: Entry[] = [];
    for (const { entry } of idle) {
      if (tooMuchBytes <= 0) break;
      tooMuchBytes -= entry.sizeBytes;
      chosen.push(entry);
    }
    return chosen;
  }
}

function blobBytes({ blobs }: Layout): number {
  let total = 0;
  for (const shard of shards)
    for (const name of readdirSync(`${blobs}/${shard}`))
      total += roomOf(lstatSync(`${blobs}/${shard}/${name}`, { throwIfNoEntry: false })?.size ?? 0);
  return total;
}

function sealedMs({ path }: Entry): number {
  return lstatSync(`${path}/${sealName}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function entriesOf(layout: Layout, database: Database): Entry[] {
  const directories = new Map<string, Digest>();
  for (const key of database.table('directories').getKeys())
    directories.set(digestHash(key as Digest), key as Digest);
  const known = new Map<Digest, number>();
  return [layout.trees, layout.results].flatMap((place) =>
    readdirSync(place).flatMap((name): Entry[] => {
      const path = `${place}/${name}`;
      const isForSteps = place === layout.trees;
      const tree = directories.get(entryHash(name));
      if (tree !== undefined)
        return [{ path, digest: tree, sizeBytes: treeBytes(tree, database, known), isForSteps }];
      const size = lstatSync(`${path}/${contentName}`, { throwIfNoEntry: false })?.size;
      if (size === undefined) return [];
      return [{ path, digest: makeDigest(entryHash(name), size), sizeBytes: roomOf(size), isForSteps }];
    }),
  );
}

// A directory takes a block, whatever is in it.
function treeBytes(digest: Digest, database: Database, known: Map<Digest, number>): number {
  const before = known.get(digest);
  if (before !== undefined) return before;
  let total = roomOf(1);
  for (const node of readDirectory(database, digest)?.values() ?? []) {
    if (node.kind === 'tree') total += treeBytes(node.digest, database, known);
    if (node.kind === 'blob') total += roomOf(digestSize(node.digest));
  }
  known.set(digest, total);
  return total;
}
