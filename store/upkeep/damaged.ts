// Whether one thing in a store is damaged, as verification asks it: of a record, a directory, an entry of a place, or of all
// that realisations promise.

import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { digestOf, parseDigest, type Digest } from '../base/digest.ts';
import { UserError } from '../base/errors.ts';
import { blobName, blobPath, peopleDirectoryMode, stepDirectoryMode } from '../layout.ts';
import type { Database } from '../records/database.ts';
import { StoredLeftBlobs } from '../records/left-blobs.ts';
import { directoryByHash, emptyContent, readDirectory } from '../records/reachable.ts';
import { decodeRealisation } from '../records/realisation-record.ts';
import type { DurableTable } from '../records/table-names.ts';
import type { Realisation } from '../store.ts';
import { alterationOf, type SealedContent } from '../trees/seal.ts';
import { StoredTrees } from '../trees/stored-trees.ts';
import { contentName, parseEntryName, sealedContent, type ContentNode } from '../trees/tree-folders.ts';
import { decodeDirectory, type Node } from '../trees/tree.ts';
import type { MaintenanceContext } from './maintenance-context.ts';

/** @param value undefined when it is not what was written */
export function isRecord(table: DurableTable, key: string, value: Uint8Array | undefined): boolean {
  if (table === 'realisations') return wholeRealisation(key as Digest, value) !== undefined;
  return value !== undefined;
}

// Its checksum may be right all the same: somebody else wrote it.
function wholeRealisation(action: Digest, value: Uint8Array | undefined): Realisation | undefined {
  try {
    return value && decodeRealisation(action, value);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** @param value as {@link isRecord} takes it */
export function isDirectory(digest: Digest, value: Uint8Array | undefined): boolean {
  if (value === undefined || digestOf(value) !== digest) return false;
  try {
    decodeDirectory(value);
    return true;
  } catch {
    return false;
  }
}

/** Directories as they are now, for {@link isDamagedEntry}. */
export function treesNow({ database }: MaintenanceContext): StoredTrees {
  return new StoredTrees(
    () => database.table('directories'),
    () => database.deletions(),
  );
}

/** Whether a folder that steps are run on, or that people look at, is not what it was made as. */
export async function isDamagedEntry(
  { layout, database }: MaintenanceContext,
  path: string,
  trees: StoredTrees,
): Promise<boolean> {
  const isForSteps = path.startsWith(`${layout.trees}/`);
  const node = nodeOf(path, database);
  const directoryMode = isForSteps ? stepDirectoryMode : peopleDirectoryMode;
  return node === undefined || isAltered(sealedContent(path, node, directoryMode), trees);
}

async function isAltered(sealed: SealedContent, trees: StoredTrees): Promise<boolean> {
  try {
    const alteration = await alterationOf(sealed, trees);
    return alteration !== undefined && alteration.paths.length > 0;
  } catch (error) {
    if (error instanceof UserError) return true; // one of its directories is damaged, which is reported as such
    throw error;
  }
}

// What an entry is to hold, as far as its name and the store's directories say it.
function nodeOf(path: string, database: Database): ContentNode | undefined {
  const entry = parseEntryName(basename(path));
  if (entry === undefined || lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return undefined;
  const content = lstatSync(`${path}/${contentName}`, { throwIfNoEntry: false });
  if (content?.isFile() === true) {
    const digest = parseDigest(`${entry.hash}/${content.size}`);
    return digest && { kind: 'blob', digest, executable: entry.isProgram };
  }
  const digest = directoryByHash(database, entry.hash);
  return digest && { kind: 'tree', digest };
}

/**
 * What realisations promise and what is not there, each with the name of a step that gave it. What several have in common is
 * looked at once: each step of a long chain gives most of what the one before it gave.
 */
export function missingContent({ layout, database }: MaintenanceContext): {
  readonly checked: number;
  readonly missing: ReadonlyMap<Digest, string>;
  /** What never came here, and is known to have been left elsewhere. */
  readonly left: ReadonlySet<Digest>;
} {
  const missing = new Map<Digest, string>();
  const left = new Set<Digest>();
  const stayed = new StoredLeftBlobs(database);
  const seen = emptyContent();
  let checked = 0;
  for (const { key, value } of database.table('realisations').inspect()) {
    checked++;
    const realisation = wholeRealisation(key as Digest, value);
    if (realisation === undefined) continue; // which is reported as such
    const { name, log } = realisation.facts;
    if (log !== undefined) lookAtBlob(log, name);
    const pending: Node[] = Object.values(realisation.claim.outputs);
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node.kind === 'blob') lookAtBlob(node.digest, name);
      if (node.kind === 'tree') for (const child of newChildren(node.digest, name)) pending.push(child);
    }
  }
  return { checked, missing, left };

  function lookAtBlob(digest: Digest, wantedBy: string): void {
    if (seen.blobs.has(digest)) return;
    seen.blobs.add(digest);
    if (blobIsThere(digest)) return;
    if (stayed.has(digest)) left.add(digest);
    else missing.set(digest, wantedBy);
  }

  function newChildren(digest: Digest, wantedBy: string): Iterable<Node> {
    if (seen.directories.has(digest)) return [];
    seen.directories.add(digest);
    try {
      const directory = readDirectory(database, digest);
      if (directory === undefined) missing.set(digest, wantedBy);
      return directory?.values() ?? [];
    } catch (error) {
      if (error instanceof UserError) return []; // damaged, which is reported as such
      throw error;
    }
  }

  function blobIsThere(digest: Digest): boolean {
    return [false, true].some(
      (executable) =>
        lstatSync(blobPath(layout, blobName(digest, executable)), { throwIfNoEntry: false }) !== undefined,
    );
  }
}
