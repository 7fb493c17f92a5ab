// Garbage collection: what no root reaches, no living session uses and no limit spares. Planned first, with what getting it
// back would cost, then done, while others build. Three proofs keep what they need:
//
// - What is used was told before anybody looked for it, and whoever tells while it is decided what goes waits until that is
//   done.
// - Records go in one transaction: whatever it leaves reaches only what is left. So of content that is named by what was
//   left, nothing goes; and a commit that relies on a directory finds it there, with all below it, or does not commit.
// - Commits name their content before they look for it, as users do, and files are moved away a few at a time, in
//   transactions of the database where they do that: none that was named, before or meanwhile, is among them.
//
// What takes long, deleting what was moved away, nobody waits for. It may end at any moment: all that is in its session's
// folder.

import { lstatSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { chunksOf } from '../base/chunks.ts';
import { readCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import { makeFolder } from '../base/make-folder.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { shards } from '../layout.ts';
import { isAlive } from '../processes/session.ts';
import {
  collectionLock,
  decisionLock,
  forgetUses,
  NamedMeanwhile,
  tellingSessions,
  usesOf,
} from '../processes/uses.ts';
import { realisationsOf } from '../records/reachable.ts';
import type { Database } from '../records/database.ts';
import type { GcLimits, GcPlan, GcStats, Lineage, Realisation } from '../store.ts';
import { entryHash } from '../trees/tree-folders.ts';
import { forgetSnapshots } from '../import/snapshot-files.ts';
import { lastUsedFirst, type Garbage } from './last-used.ts';
import { deadKept, keptSources, moveKept } from './kept-entries.ts';
import { LiveSet } from './live-set.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { removeAside } from './remove-aside.ts';
import { Room, type Entry } from './room.ts';

interface GarbageFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** What is to be kept, and what of the folders that steps are run on is to go all the same. */
interface Choice {
  /** Whatever is used from then on is younger than all that was looked at; milliseconds since 1970. */
  readonly sinceMs: number;
  readonly dead: ReadonlySet<string>;
  readonly live: LiveSet;
  readonly idle: readonly Entry[];
  readonly keptBytes: number | undefined;
}

/** Others get a turn after this many files. */
const filesATurn = { items: 256, sizeBytes: Infinity };

/** What would go, and what it would cost to have it again. */
export async function planGc(context: MaintenanceContext, limits: GcLimits): Promise<GcPlan> {
  const { live, keptBytes } = await choose(context, limits);
  const lost = deadRealisations(context, live).map(({ facts: { name, durationMs } }) => ({
    name,
    durationMs,
  }));
  const files = deadFiles(context, live);
  const kept = await deadKept(context, { live, limits, tooMuchBytes: tooMuch(limits, keptBytes) });
  const known = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  return {
    stats: statsOf({ files, kept, lost, keptBytes }),
    lost,
    execute: (signal) => collect(context, limits, { known, ...(signal && { signal }) }),
  };
}

export interface CollectOptions {
  /** Sizes of blob files that were looked at before, by name: a name's file has that size for ever. */
  readonly known?: ReadonlyMap<string, number>;
  readonly signal?: AbortSignal;
}

/** Deletes what is garbage by now, whatever was planned: much may have been built since. */
export async function collect(
  context: MaintenanceContext,
  limits: GcLimits,
  { known, signal }: CollectOptions = {},
): Promise<GcStats> {
  await context.sweep();
  const choice = await choose(context, limits);
  const { dead, live } = choice;
  signal?.throwIfAborted();
  const aside = context.freshPath('garbage');
  makeFolder(aside);
  const lock = await context.lock(collectionLock, signal);
  try {
    forgetUses(context.volatile(), (session) => dead.has(session));
    const lost = await decide(context, choice, limits);
    const files = deadFiles(context, live, known);
    const named = new NamedMeanwhile(context.volatile(), (session) => dead.has(session));
    const removed = await moveFiles(context, files, { named, aside, signal });
    moveEntries(context, choice, { named, aside });
    const tooMuchBytes = tooMuch(limits, choice.keptBytes);
    const kept = await moveKept(context, await deadKept(context, { live, limits, tooMuchBytes }), aside);
    forgetSnapshots(context.layout, live.content.directories);
    return statsOf({ files: removed, kept, lost, keptBytes: choice.keptBytes });
  } finally {
    forgetUses(context.volatile(), (session) => dead.has(session));
    await lock.release();
    await removeAside(aside);
  }
}

// Adds to what must stay what the limits spare, last used first.
async function choose(context: MaintenanceContext, limits: GcLimits): Promise<Choice> {
  const sinceMs = Date.now();
  const dead = await deadSessions(context);
  const base = wanted(context, dead);
  const live = liveOf(context, base);
  const { maxBytes, usedSinceMs = Infinity } = limits;
  const room = maxBytes === undefined ? undefined : await Room.measure(context);
  const isTooMuch = (): boolean => room !== undefined && room.withOnly(live) > maxBytes!;
  if (!hasLimits(limits)) return { sinceMs, dead, live, idle: [], keptBytes: undefined };
  const spared: Garbage[] = [];
  for (const garbage of lastUsedFirst(live, context.database)) {
    const isYoung = garbage.usedMs >= usedSinceMs;
    if (!isYoung && (room === undefined || isTooMuch())) break;
    spare(live, garbage);
    if (!isYoung && isTooMuch())
      return settle(context, liveOf(context, base, spared), { sinceMs, dead, room, limits });
    spared.push(garbage);
  }
  return settle(context, live, { sinceMs, dead, room, limits });
}

function settle(
  context: MaintenanceContext,
  live: LiveSet,
  {
    sinceMs,
    dead,
    room,
    limits,
  }: Pick<Choice, 'sinceMs' | 'dead'> & { readonly room: Room | undefined; readonly limits: GcLimits },
): Choice {
  if (room === undefined) return { sinceMs, dead, live, idle: [], keptBytes: undefined };
  const sizeBytes = room.withOnly(live);
  const idle = room.idleEntries(sizeBytes - limits.maxBytes!, inUse(context, dead));
  const idleBytes = idle
    .filter(({ digest }) => live.content.directories.has(digest) || live.content.blobs.has(digest))
    .reduce((sum, entry) => sum + entry.sizeBytes, 0);
  return { sinceMs, dead, live, idle, keptBytes: sizeBytes - idleBytes };
}

function liveOf(
  { database }: MaintenanceContext,
  base: Iterable<Digest>,
  spared: readonly Garbage[] = [],
): LiveSet {
  const live = new LiveSet(database);
  live.add(base);
  for (const garbage of spared) spare(live, garbage);
  return live;
}

function spare(live: LiveSet, { kind, id }: Garbage): void {
  if (kind === 'derivation') live.add([id]);
  else live.addAction(id);
}

async function decide(
  context: MaintenanceContext,
  choice: Choice,
  limits: GcLimits,
): Promise<{ readonly durationMs: number }[]> {
  const lock = await context.lock(decisionLock);
  try {
    return await removeRecords(context, choice, limits);
  } finally {
    await lock.release();
  }
}

async function removeRecords(
  context: MaintenanceContext,
  { sinceMs, live, dead }: Choice,
  limits: GcLimits,
): Promise<{ readonly durationMs: number }[]> {
  const { database } = context;
  let lost: readonly Realisation[] = [];
  await database.transaction(() => {
    // Inside the transaction no batch commits: nothing of what is found now can become wanted before it is gone.
    live.add(wanted(context, dead));
    if (hasLimits(limits)) live.add(usedSince(database, sinceMs));
    live.refresh();
    database.markDeletion();
    lost = deadRealisations(context, live);
    for (const { claim } of lost) void database.table('realisations').remove(claim.action);
    for (const [table, kept] of [
      ['memos', live.derivations],
      ['descriptions', live.derivations],
      ['last-uses', live.derivations],
      ['signed', live.derivations],
      ['directories', live.content.directories],
      ['left', live.content.blobs],
    ] as const)
      for (const key of database.table(table).getKeys())
        if (!(kept as ReadonlySet<string>).has(key)) void database.table(table).remove(key);
    forgetLineages(database, live);
    // Cached values can be computed again; evaluations among them speak of descriptions that may just have gone.
    for (const key of database.table('cached').getKeys()) void database.table('cached').remove(key);
  });
  return lost.map(({ facts }) => facts);
}

function hasLimits({ maxBytes, usedSinceMs = Infinity }: GcLimits): boolean {
  return maxBytes !== undefined || usedSinceMs < Infinity;
}

// What limits spare is what was used last: nobody has used anything later than who did so while it was chosen.
function usedSince(database: Database, sinceMs: number): Digest[] {
  return [...database.table('last-uses').inspect()]
    .filter(({ value }) => value !== undefined && (readCbor(value) as number) >= sinceMs)
    .map(({ key }) => key as Digest);
}

// `why` compares with what is there; and who has not built something for so long will not miss how long it took.
function forgetLineages(database: Database, live: LiveSet): void {
  const kept = new Set<string>();
  for (const { key, value } of database.table('lineages').inspect()) {
    if (value === undefined) continue;
    const { derivation, action } = readCbor(value) as unknown as Lineage;
    if (live.derivations.has(derivation) || live.actions.has(action)) kept.add(key);
  }
  for (const table of ['lineages', 'durations'] as const)
    for (const key of database.table(table).getKeys())
      if (!kept.has(key)) void database.table(table).remove(key);
}

async function moveFiles(
  context: MaintenanceContext,
  dead: readonly GarbageFile[],
  {
    named,
    aside,
    signal,
  }: {
    readonly named: NamedMeanwhile;
    readonly aside: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<GarbageFile[]> {
  const moved: GarbageFile[] = [];
  for (const files of chunksOf(dead, filesATurn)) {
    signal?.throwIfAborted();
    context.volatile().transactionSync(() => {
      const kept = named.read();
      for (const file of files)
        if (!kept.has(hashIn(file)) && renameIfThere(file.path, `${aside}/${file.name}`)) moved.push(file);
    });
    await setImmediate();
  }
  return moved;
}

// Nobody looks for one before its content is told to be used.
function moveEntries(
  context: MaintenanceContext,
  { live, dead, idle }: Choice,
  { named, aside }: { readonly named: NamedMeanwhile; readonly aside: string },
): void {
  const { layout } = context;
  const hashes = live.hashes();
  const used = inUse(context, dead);
  const paths = new Set(idle.filter(({ digest }) => !used.has(digest)).map(({ path }) => path));
  for (const place of [layout.trees, layout.results])
    for (const name of readdirSync(place)) if (!hashes.has(entryHash(name))) paths.add(`${place}/${name}`);
  context.volatile().transactionSync(() => {
    const kept = named.read();
    for (const [at, path] of [...paths].entries())
      if (!kept.has(entryHash(basename(path)))) renameIfThere(path, `${aside}/entry-${at}`);
  });
}

/** Sessions that were looked at and have ended. One that began since lives, for all that is known. */
async function deadSessions({ layout, volatile }: MaintenanceContext): Promise<Set<string>> {
  const sessions = tellingSessions(volatile());
  const alive = await Promise.all(sessions.map((session) => isAlive(layout, session)));
  return new Set(sessions.filter((_, at) => !alive[at]));
}

function wanted(context: MaintenanceContext, dead: ReadonlySet<string>): Digest[] {
  const rooted = [...context.database.table('roots').getRange()].flatMap(
    ({ value }) => readCbor(value) as unknown as readonly Digest[],
  );
  return [...rooted, ...keptSources(context.layout), ...inUse(context, dead)];
}

function inUse({ volatile }: MaintenanceContext, dead: ReadonlySet<string>): Set<Digest> {
  return new Set(usesOf(volatile(), (session) => dead.has(session)));
}

function deadRealisations({ database }: MaintenanceContext, live: LiveSet): Realisation[] {
  return [...realisationsOf(database)].filter(({ claim }) => !live.actions.has(claim.action));
}

function deadFiles(
  { layout }: MaintenanceContext,
  live: LiveSet,
  known: ReadonlyMap<string, number> = new Map(),
): GarbageFile[] {
  const hashes = live.hashes();
  return shards.flatMap((shard) =>
    readdirSync(`${layout.blobs}/${shard}`)
      .filter((name) => !hashes.has(name.slice(0, 64)))
      .map((name) => {
        const path = `${layout.blobs}/${shard}/${name}`;
        const sizeBytes = known.get(name) ?? lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
        return { path, name, sizeBytes };
      }),
  );
}

function hashIn({ name }: GarbageFile): string {
  return name.slice(0, 64);
}

// What the store takes beyond its limit when all else has gone that may go.
function tooMuch({ maxBytes }: GcLimits, keptBytes: number | undefined): number {
  return maxBytes === undefined || keptBytes === undefined ? 0 : keptBytes - maxBytes;
}

interface Sized {
  readonly sizeBytes: number;
}

function statsOf({
  files,
  kept,
  lost,
  keptBytes,
}: {
  readonly files: readonly Sized[];
  readonly kept: readonly Sized[];
  readonly lost: readonly { readonly durationMs: number }[];
  readonly keptBytes: number | undefined;
}): GcStats {
  const keptFolderBytes = sizeOf(kept);
  return {
    blobs: files.length,
    sizeBytes: sizeOf(files) + keptFolderBytes,
    realisations: lost.length,
    rebuildMs: lost.reduce((sum, { durationMs }) => sum + durationMs, 0),
    keptFolders: kept.length,
    keptBytes: keptBytes && keptBytes - keptFolderBytes,
  };
}

function sizeOf(items: readonly Sized[]): number {
  return items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
