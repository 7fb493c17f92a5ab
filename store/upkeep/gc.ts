// Garbage collection: what no root reaches. Planned first, with what getting it back would cost, then done.
// A root keeps its derivations, everything in their closure, and the outputs and logs of all that.

import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import type { Digest } from '../base/digest.ts';
import { decodeCbor } from '../base/cbor.ts';
import { shards, type BlobName } from '../layout.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { describeOwner, isAlive } from '../processes/owner.ts';
import {
  addReachable,
  derivationClosure,
  emptyContent,
  recordsOf,
  type Content,
  type StoredMemo,
  type StoredRealisation,
} from '../records/reachable.ts';
import { discardEntry, entryHash } from '../trees/tree-folders.ts';
import { sessionOwner } from '../processes/session.ts';
import type { GcPlan, GcStats } from '../store.ts';

interface Garbage {
  readonly blobs: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly directories: readonly Digest[];
  readonly realisations: readonly Digest[];
  readonly memos: readonly Digest[];
  readonly descriptions: readonly Digest[];
  readonly trees: readonly string[];
  readonly lost: readonly { readonly name: string; readonly durationMs: number }[];
}

/** @throws UserError `STORE_BUSY` from `execute` when another process is using the store. */
export function planGc(context: MaintenanceContext): GcPlan {
  const garbage = findGarbage(context);
  return {
    stats: statsOf(garbage),
    lost: garbage.lost,
    execute: () => collect(context),
  };
}

// Found again when it is done: much may have been built since the plan was shown.
async function collect(context: MaintenanceContext): Promise<GcStats> {
  refuseIfBusy(context);
  const { database, layout } = context;
  let garbage = findGarbage(context);
  await database.transaction(() => {
    // Inside the transaction no batch commits: nothing of what is found now can become wanted before it is gone.
    garbage = findGarbage(context);
    for (const { path } of garbage.blobs) rmSync(path, { force: true });
    for (const table of ['directories', 'realisations', 'memos', 'descriptions'] as const) {
      for (const key of garbage[table]) void database.table(table).remove(key);
    }
    // Cached values can be computed again; evaluations among them speak of descriptions that may just have gone.
    for (const key of database.table('cached').getKeys()) void database.table('cached').remove(key);
  });
  // Snapshots of imported folders vouch for content that may have gone just now.
  if (garbage.blobs.length > 0) rmSync(layout.imports, { recursive: true, force: true });
  for (const entry of garbage.trees) discardEntry(entry, context.freshPath('garbage'));
  return statsOf(garbage);
}

function findGarbage(context: MaintenanceContext): Garbage {
  const { database } = context;
  const derivations = derivationClosure(rootedDerivations(context), database);
  const memos = [...recordsOf<StoredMemo>(database, 'memos')];
  const actions = new Set(memos.filter(([id]) => derivations.has(id)).map(([, { action }]) => action));
  const realisations = [...recordsOf<StoredRealisation>(database, 'realisations')];
  const live = liveContent(context, derivations, { actions, memos, realisations });
  const dead = realisations.filter(([action]) => !actions.has(action));
  return {
    blobs: deadBlobs(context, live),
    directories: keysWhere(context, 'directories', (digest) => !live.directories.has(digest)),
    realisations: dead.map(([action]) => action),
    memos: memos.filter(([id]) => !derivations.has(id)).map(([id]) => id),
    descriptions: keysWhere(context, 'descriptions', (id) => !derivations.has(id)),
    trees: deadTrees(context, live),
    lost: dead.map(([, { name, durationMs }]) => ({ name, durationMs })),
  };
}

function rootedDerivations({ database }: MaintenanceContext): Digest[] {
  return [...database.table('roots').getRange()].flatMap(
    ({ value }) => decodeCbor(value) as unknown as readonly Digest[],
  );
}

interface Records {
  readonly actions: ReadonlySet<Digest>;
  readonly memos: readonly (readonly [Digest, StoredMemo])[];
  readonly realisations: readonly (readonly [Digest, StoredRealisation])[];
}

function liveContent(
  { database }: MaintenanceContext,
  derivations: ReadonlySet<Digest>,
  records: Records,
): Content {
  const live = emptyContent();
  for (const [id, { outputs }] of records.memos)
    if (derivations.has(id)) addReachable(live, Object.values(outputs), database);
  for (const [action, { outputs, log }] of records.realisations) {
    if (!records.actions.has(action)) continue;
    addReachable(live, Object.values(outputs), database);
    if (log !== undefined) live.blobs.add(log);
  }
  return live;
}

function deadBlobs({ layout }: MaintenanceContext, live: Content): Garbage['blobs'] {
  const liveHashes = new Set([...live.blobs].map((digest) => digest.slice(0, 64)));
  const isDead = (name: BlobName): boolean => !liveHashes.has(name.slice(0, 64));
  return shards.flatMap((shard) =>
    readdirSync(`${layout.blobs}/${shard}`)
      .filter(isDead)
      .map((name) => `${layout.blobs}/${shard}/${name}`)
      .map((path) => ({ path, sizeBytes: lstatSync(path, { throwIfNoEntry: false })?.size ?? 0 })),
  );
}

function deadTrees({ layout }: MaintenanceContext, live: Content): string[] {
  const liveHashes = new Set([...live.directories, ...live.blobs].map((digest) => digest.slice(0, 64)));
  return [layout.trees, layout.results].flatMap((place) =>
    readdirSync(place)
      .filter((name) => !liveHashes.has(entryHash(name)))
      .map((name) => `${place}/${name}`),
  );
}

function keysWhere(
  { database }: MaintenanceContext,
  table: 'directories' | 'descriptions',
  isDead: (key: Digest) => boolean,
): Digest[] {
  return ([...database.table(table).getKeys()] as Digest[]).filter(isDead);
}

function statsOf(garbage: Garbage): GcStats {
  return {
    blobs: garbage.blobs.length,
    sizeBytes: garbage.blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    realisations: garbage.realisations.length,
    rebuildMs: garbage.lost.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}

// What another process has made but not yet named in a root would go from under its feet.
function refuseIfBusy({ layout, sessionId }: MaintenanceContext): void {
  for (const id of readdirSync(layout.temporary)) {
    const owner = id === sessionId ? undefined : sessionOwner(id);
    if (owner === undefined || !isAlive(owner)) continue;
    throw new UserError('STORE_BUSY', `${describeOwner(owner)} is using the store`, {
      hint: 'Nothing was deleted. Wait until it has ended, then run this again.',
      fault: 'environment',
    });
  }
}
