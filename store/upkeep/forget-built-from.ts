// What was built from a folder that somebody has altered: its results may be anything, and are forgotten, with the memos of
// whatever needs them. What those dependents gave stays true, for their own actions name the content they were given.

import { readCbor } from '../base/cbor.ts';
import { digestHash, type Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import {
  memosOf,
  readDirectory,
  referencesIn,
  type Reference,
  type StoredMemo,
} from '../records/reachable.ts';
import { decodeRealisation } from '../records/realisation-record.ts';
import { parseTreePath, type Node } from '../trees/tree.ts';

/**
 * Forgets what steps that were given content with this hash have made since a time, in milliseconds since 1970.
 * Gives the names of what was forgotten.
 */
export async function forgetBuiltFrom(
  hash: string,
  sinceMs: number,
  database: Database,
): Promise<readonly string[]> {
  let names: string[] = [];
  await database.transaction(() => {
    const memos = new Map(memosOf(database));
    const forgotten = new Set<Digest>();
    names = [];
    for (const [id, { action }] of memos) {
      const bytes = database.table('realisations').get(action);
      const made = bytes === undefined ? undefined : decodeRealisation(action, bytes).facts;
      if (made === undefined || made.builtAtMs < sinceMs) continue;
      if (!referencesOf(id, database).some((one) => leadsTo(one, hash, memos, database))) continue;
      void database.table('realisations').remove(action);
      forgotten.add(id);
      names.push(made.name);
    }
    for (const id of withDependents(forgotten, memos, database)) void database.table('memos').remove(id);
  });
  await database.settle();
  return [...new Set(names)].sort();
}

/** Forgets a result that turned out wrong, with the memos of whatever needs it. Gives the derivations that had them. */
export async function forgetResult(action: Digest, database: Database): Promise<readonly Digest[]> {
  let forgotten: readonly Digest[] = [];
  await database.transaction(() => {
    const memos = new Map(memosOf(database));
    const wrong = new Set([...memos].filter(([, memo]) => memo.action === action).map(([id]) => id));
    forgotten = [...withDependents(wrong, memos, database)];
    void database.table('realisations').remove(action);
    for (const id of forgotten) void database.table('memos').remove(id);
  });
  await database.settle();
  return forgotten;
}

// A narrowed input is given as a folder of its own; so is a whole output.
function leadsTo(
  { id, output, subpath }: Reference,
  hash: string,
  memos: ReadonlyMap<Digest, StoredMemo>,
  database: Database,
): boolean {
  let node: Node | undefined = memos.get(id)?.outputs[output];
  for (const part of parseTreePath(subpath))
    node = node?.kind === 'tree' ? readDirectory(database, node.digest)?.get(part) : undefined;
  return node !== undefined && node.kind !== 'symlink' && digestHash(node.digest) === hash;
}

function withDependents(
  ids: ReadonlySet<Digest>,
  memos: ReadonlyMap<Digest, StoredMemo>,
  database: Database,
): Set<Digest> {
  const all = new Set(ids);
  if (ids.size === 0) return all;
  const dependents = new Map<Digest, Digest[]>();
  for (const id of memos.keys())
    for (const { id: needed } of referencesOf(id, database))
      dependents.set(needed, [...(dependents.get(needed) ?? []), id]);
  // The set is walked while it grows.
  for (const id of all) for (const dependent of dependents.get(id) ?? []) all.add(dependent);
  return all;
}

function referencesOf(id: Digest, database: Database): Reference[] {
  const bytes = database.table('descriptions').get(id);
  return bytes === undefined ? [] : [...referencesIn(readCbor(bytes))];
}
