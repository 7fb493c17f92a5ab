// Kept folders and compile caches as upkeep sees them: for which lineage, when used, how large. They save time and hold nothing
// else, so they are bounded: by use, and by the lineages that roots still reach. One that somebody has is never touched, nor
// waited for.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { readCbor } from '../base/cbor.ts';
import { listFolder } from '../base/list-folder.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { compileCacheLock } from '../kept/compile-caches.ts';
import { readCompileCacheRecord } from '../kept/compile-cache-record.ts';
import { keptLock } from '../kept/kept-folders.ts';
import { readKeptRecord, recordName } from '../kept/kept-record.ts';
import type { Layout } from '../layout.ts';
import type { GcLimits, KeptUsage, Lineage } from '../store.ts';
import type { LiveSet } from './live-set.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { measureFolder } from './usage.ts';

export interface KeptEntry {
  readonly part: KeptUsage['part'];
  readonly name: string;
  readonly path: string;
  /** Whose it is; undefined when nobody can tell what is in it. */
  readonly lineage: string | undefined;
  /** In milliseconds since 1970; 0 when that cannot be told. */
  readonly usedMs: number;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Who has not come back to a folder for so long has gone on to other things. */
const idleMs = 14 * dayMs;
/** So long one stays that no root reaches: its first build may have failed, and nothing of it be recorded. */
const graceMs = dayMs;

function keptEntries({ work, compileCaches }: Layout): KeptEntry[] {
  const entriesIn = (
    folder: string,
    part: KeptEntry['part'],
    read: (path: string) => { readonly lineage: string } | undefined,
  ): KeptEntry[] =>
    listFolder(folder).map((name) => {
      const path = join(folder, name);
      return { part, name, path, lineage: read(path)?.lineage, usedMs: usedMsOf(path) };
    });
  return [
    ...entriesIn(work, 'work', readKeptRecord),
    ...entriesIn(compileCaches, 'compile-caches', readCompileCacheRecord),
  ];
}

function usedMsOf(entry: string): number {
  return lstatSync(join(entry, recordName), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function lockOf({ part, name }: KeptEntry): string {
  return part === 'work' ? keptLock(name) : compileCacheLock(name);
}

/** The trees that sources were last brought up to: without them nobody could tell what changed since. */
export function keptSources({ work }: Layout, nowMs = Date.now()): Digest[] {
  return listFolder(work).flatMap((name) => {
    const record = readKeptRecord(join(work, name));
    return record === undefined || usedMsOf(join(work, name)) < nowMs - idleMs
      ? []
      : Object.values(record.sources).flatMap((node) => (node.kind === 'symlink' ? [] : [node.digest]));
  });
}

/** What goes in a collection with these limits; of `tooMuchBytes` as much as it takes, used longest ago first. */
export async function deadKept(
  context: MaintenanceContext,
  { live, limits, tooMuchBytes }: { live: LiveSet; limits: GcLimits; tooMuchBytes: number },
): Promise<readonly (KeptEntry & { readonly sizeBytes: number })[]> {
  const nowMs = Date.now();
  const { maxBytes, usedSinceMs } = limits;
  const isLimited = maxBytes !== undefined || usedSinceMs !== undefined;
  const entries = keptEntries(context.layout).sort((a, b) => a.usedMs - b.usedMs);
  const dead: (KeptEntry & { readonly sizeBytes: number })[] = [];
  for (const entry of entries) {
    const isIdle = isLimited
      ? usedSinceMs !== undefined && entry.usedMs < usedSinceMs
      : entry.usedMs < nowMs - idleMs || (entry.usedMs < nowMs - graceMs && !isReached(context, entry, live));
    const isInTheWay = tooMuchBytes > 0 && entry.usedMs < (usedSinceMs ?? Infinity);
    if (!isIdle && !isInTheWay && entry.lineage !== undefined) continue;
    const { sizeBytes } = await measureFolder(entry.path);
    tooMuchBytes -= sizeBytes;
    dead.push({ ...entry, sizeBytes });
  }
  return dead;
}

/** Moves them into a folder that is deleted later; gives those that nobody had. */
export async function moveKept<T extends KeptEntry>(
  context: MaintenanceContext,
  entries: readonly T[],
  aside: string,
): Promise<T[]> {
  const moved: T[] = [];
  for (const entry of entries) {
    const lock = await context.tryLock(lockOf(entry));
    if (lock.kind === 'held') continue;
    if (renameIfThere(entry.path, `${aside}/kept-${moved.length}`)) moved.push(entry);
    await lock.release();
  }
  return moved;
}

/** How much room each takes. */
export async function measureKept(layout: Layout): Promise<KeptUsage[]> {
  const usages: KeptUsage[] = [];
  for (const { part, path, lineage, usedMs } of keptEntries(layout)) {
    // A lineage begins with what tells its config from others.
    const name = lineage?.replace(/^[0-9a-f]{16} /, '').split(' ')[0] ?? '?';
    usages.push({ part, name, ...(await measureFolder(path)), usedAtMs: Math.round(usedMs) });
  }
  return usages;
}

// A lineage is reached when the version of it that was built last is.
function isReached({ database }: MaintenanceContext, { lineage }: KeptEntry, live: LiveSet): boolean {
  const bytes = lineage === undefined ? undefined : database.table('lineages').get(lineage);
  return bytes !== undefined && live.derivations.has((readCbor(bytes) as unknown as Lineage).derivation);
}
