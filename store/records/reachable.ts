// What hangs together: the content below nodes, and the derivations below derivations. Reads Merkle nodes and records.

import { readCbor, type CborValue } from '../base/cbor.ts';
import { digestHash, parseDigest, type Digest } from '../base/digest.ts';
import type { Database } from './database.ts';
import { decodeRealisation } from './realisation-record.ts';
import type { Memo, Realisation } from '../store.ts';
import { decodeDirectory, emptyTree, type Directory, type Node } from '../trees/tree.ts';

/** Content by kind. */
export interface Content {
  readonly blobs: Set<Digest>;
  readonly directories: Set<Digest>;
}

export function emptyContent(): Content {
  return { blobs: new Set(), directories: new Set() };
}

/**
 * Adds everything at and below `nodes` to `content`. Directories that are not there are added, with nothing below; gives
 * those that were added so.
 */
export function addReachable(content: Content, nodes: Iterable<Node>, database: Database): Digest[] {
  const absent: Digest[] = [];
  const pending = [...nodes];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'blob') content.blobs.add(node.digest);
    if (node.kind !== 'tree' || content.directories.has(node.digest)) continue;
    content.directories.add(node.digest);
    const directory = readDirectory(database, node.digest);
    if (directory === undefined) absent.push(node.digest);
    else pending.push(...directory.values());
  }
  return absent;
}

/** The directory with this digest, or undefined. @throws UserError `STORE_CORRUPT` */
export function readDirectory(database: Database, digest: Digest): Directory | undefined {
  if (digest === emptyTree.digest) return new Map();
  const bytes = database.table('directories').get(digest);
  return bytes === undefined ? undefined : decodeDirectory(bytes);
}

/** The digest of the directory whose SHA-256 part this is, if it is there. */
export function directoryByHash(database: Database, hash: string): Digest | undefined {
  if (hash === digestHash(emptyTree.digest)) return emptyTree.digest;
  const [digest] = database.table('directories').getKeys({ start: `${hash}/`, end: `${hash}0`, limit: 1 });
  return digest as Digest | undefined;
}

export type StoredMemo = Omit<Memo, 'derivation'>;

export function* memosOf(database: Database): Generator<[Digest, StoredMemo]> {
  for (const { key, value } of database.table('memos').getRange())
    yield [key as Digest, readCbor(value) as unknown as StoredMemo];
}

export function* realisationsOf(database: Database): Generator<Realisation> {
  for (const { key, value } of database.table('realisations').getRange())
    yield decodeRealisation(key as Digest, value);
}

/** A derivation's input as its description has it. */
export interface Reference {
  readonly id: Digest;
  readonly output: string;
  readonly subpath: string;
}

/** The inputs that a description names, each as [id, output, subpath]. */
export function* referencesIn(value: CborValue | undefined): Generator<Reference> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (!Array.isArray(value)) {
    for (const member of Object.values(value)) yield* referencesIn(member);
    return;
  }
  const items = value as readonly CborValue[];
  const id = items.length === 3 && typeof items[0] === 'string' ? parseDigest(items[0]) : undefined;
  if (id !== undefined) yield { id, output: items[1] as string, subpath: items[2] as string };
  else for (const item of items) yield* referencesIn(item);
}
