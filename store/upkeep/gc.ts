// Garbage collection: what no root reaches and no living session uses. Planned first, with what getting it back would cost,
// then done, while others build: what they use is told to it, and only while it looks for what has come since do their
// commits wait. Records go first, then the files that nothing names any more, so that it may end at any moment.

import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import { readCbor } from '../base/cbor.ts';
import { removeTree } from '../base/remove-tree.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { shards } from '../layout.ts';
import { isAlive } from '../processes/session.ts';
import { forgetUses, usesOf } from '../processes/uses.ts';
import type { StoredRealisation } from '../records/reachable.ts';
import type { GcPlan, GcStats } from '../store.ts';
import { entryHash } from '../trees/tree-folders.ts';
import { LiveSet } from './live-set.ts';
import type { MaintenanceContext } from './maintenance-context.ts';

interface GarbageFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** What would go, and what it would cost to have it again. */
export async function planGc(context: MaintenanceContext): Promise<GcPlan> {
  const dead = await deadSessions(context);
  const live = new LiveSet(context.database);
  live.extend(wanted(context, dead).digests);
  const lost = deadRealisations(context, live).map(([, { name, durationMs }]) => ({ name, durationMs }));
  const files = deadFiles(allBlobs(context), live);
  return { stats: statsOf(files, lost), lost, execute: (signal) => collect(context, signal) };
}

// Found again when it is done: much may have been built since the plan was shown.
async function collect(context: MaintenanceContext, signal?: AbortSignal): Promise<GcStats> {
  // Whoever begins to use something while this lock is held waits until it is free, and looks then.
  const lock = await context.lock('gc', signal);
  try {
    const dead = await deadSessions(context);
    const live = new LiveSet(context.database);
    live.extend(wanted(context, dead).digests);
    signal?.throwIfAborted();
    const lost = await removeRecords(context, live, dead);
    const candidates = allBlobs(context);
    signal?.throwIfAborted();
    const aside = context.freshPath('garbage');
    mkdirSync(aside);
    const removed = await moveFiles(context, { live, dead, candidates, aside });
    forgetUses(context.volatile(), (session) => dead.has(session));
    removeTree(aside);
    return statsOf(removed, lost);
  } finally {
    await lock.release();
  }
}

async function removeRecords(
  context: MaintenanceContext,
  live: LiveSet,
  dead: ReadonlySet<string>,
): Promise<{ readonly durationMs: number }[]> {
  const { database } = context;
  let lost: (readonly [Digest, StoredRealisation])[] = [];
  await database.transaction(() => {
    // Inside the transaction no batch commits: nothing of what is found now can become wanted before it is gone.
    live.extend(wanted(context, dead).digests);
    lost = deadRealisations(context, live);
    for (const [action] of lost) void database.table('realisations').remove(action);
    for (const [table, kept] of [
      ['memos', live.derivations],
      ['descriptions', live.derivations],
      ['directories', live.content.directories],
    ] as const)
      for (const key of database.table(table).getKeys())
        if (!(kept as ReadonlySet<string>).has(key)) void database.table(table).remove(key);
    // Cached values can be computed again; evaluations among them speak of descriptions that may just have gone.
    for (const key of database.table('cached').getKeys()) void database.table('cached').remove(key);
  });
  // Snapshots of imported folders vouch for content that may go now.
  rmSync(context.layout.imports, { recursive: true, force: true });
  return lost.map(([, realisation]) => realisation);
}

async function moveFiles(
  context: MaintenanceContext,
  work: {
    readonly live: LiveSet;
    readonly dead: ReadonlySet<string>;
    readonly candidates: readonly GarbageFile[];
    readonly aside: string;
  },
): Promise<GarbageFile[]> {
  const { live, dead, candidates, aside } = work;
  const moved: GarbageFile[] = [];
  await context.database.transaction(() => {
    const { digests, oldestCommitMs } = wanted(context, dead);
    live.extend(digests);
    for (const file of deadFiles(candidates, live)) {
      const stats = lstatSync(file.path, { throwIfNoEntry: false });
      // One that a commit under way has just placed is named by nothing yet.
      if (stats === undefined || stats.ctimeMs >= oldestCommitMs) continue;
      renameSync(file.path, `${aside}/${file.name}`);
      moved.push(file);
    }
    for (const entry of deadEntries(context, live)) renameIfThere(entry, `${aside}/tree-${entryBase(entry)}`);
  });
  return moved;
}

/** Sessions that were looked at and have ended. One that began since lives, for all that is known. */
async function deadSessions({ layout, volatile }: MaintenanceContext): Promise<Set<string>> {
  const database = volatile();
  database.refresh();
  const told = [...database.table('uses').getKeys(), ...database.table('commits').getKeys()];
  const sessions = [...new Set(told.map((key) => key.slice(0, key.indexOf('/'))))];
  const alive = await Promise.all(sessions.map((session) => isAlive(layout, session)));
  return new Set(sessions.filter((_, at) => !alive[at]));
}

function wanted({ database, volatile }: MaintenanceContext, dead: ReadonlySet<string>) {
  const uses = usesOf(volatile(), (session) => dead.has(session));
  const rooted = [...database.table('roots').getRange()].flatMap(
    ({ value }) => readCbor(value) as unknown as readonly Digest[],
  );
  return { digests: [...rooted, ...uses.digests], oldestCommitMs: uses.oldestCommitMs };
}

function deadRealisations(
  { database }: MaintenanceContext,
  live: LiveSet,
): (readonly [Digest, StoredRealisation])[] {
  const table = database.table('realisations');
  return [...table.getRange()]
    .filter(({ key }) => !live.actions.has(key as Digest))
    .map(({ key, value }) => [key as Digest, readCbor(value) as unknown as StoredRealisation] as const);
}

function allBlobs({ layout }: MaintenanceContext): GarbageFile[] {
  return shards.flatMap((shard) =>
    readdirSync(`${layout.blobs}/${shard}`).map((name) => {
      const path = `${layout.blobs}/${shard}/${name}`;
      return { path, name, sizeBytes: lstatSync(path, { throwIfNoEntry: false })?.size ?? 0 };
    }),
  );
}

function deadFiles(files: readonly GarbageFile[], { content }: LiveSet): GarbageFile[] {
  const hashes = new Set([...content.blobs].map((digest) => digest.slice(0, 64)));
  return files.filter(({ name }) => !hashes.has(name.slice(0, 64)));
}

function deadEntries({ layout }: MaintenanceContext, { content }: LiveSet): string[] {
  const hashes = new Set([...content.directories, ...content.blobs].map((digest) => digest.slice(0, 64)));
  return [layout.trees, layout.results].flatMap((place) =>
    readdirSync(place)
      .filter((name) => !hashes.has(entryHash(name)))
      .map((name) => `${place}/${name}`),
  );
}

function entryBase(path: string): string {
  return path.split('/').slice(-2).join('-');
}

function statsOf(
  files: readonly { readonly sizeBytes: number }[],
  lost: readonly { readonly durationMs: number }[],
): GcStats {
  return {
    blobs: files.length,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    realisations: lost.length,
    rebuildMs: lost.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}
