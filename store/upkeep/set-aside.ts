// Takes damage out of the way: damaged blobs are kept in `corrupt/` for a person to look at, and every record that
// promises something that is not there is forgotten, so that the next build makes it again.

import { lstatSync } from 'node:fs';
import { digestHash, type Digest } from '../base/digest.ts';
import { makeFolders } from '../base/make-folder.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import type { Database } from '../records/database.ts';
import { forgetBuiltFrom } from './forget-built-from.ts';
import { Holding } from './holding.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { memosOf, realisationsOf } from '../records/reachable.ts';
import { discardEntry, entryHash, sealName } from '../trees/tree-folders.ts';
import type { Damage, SetAside } from '../store.ts';
import type { Node } from '../trees/tree.ts';

/** Acts on what a verification found. Gives the derivations that are not up to date any more. */
export async function setAside(context: MaintenanceContext, damages: readonly Damage[]): Promise<SetAside> {
  const { database } = context;
  await forgetRecords(database, damages);
  for (const damage of damages) {
    if (damage.kind === 'blob') moveAside(context, damage.path, damage.name);
    if (damage.kind === 'tree') await forgetUsers(context, damage.path);
    if (damage.kind === 'tree') discardEntry(damage.path, context.freshPath('damaged'));
  }
  const hashes = new Set(damages.flatMap(hashOf));
  if (hashes.size > 0) context.copies.forget(hashes);
  let derivations: Digest[] = [];
  await database.transaction(() => {
    derivations = forgetHolders(database, hashes);
  });
  const lostMemos = damages.flatMap((damage) =>
    damage.kind === 'record' && damage.table === 'memos' ? [damage.key as Digest] : [],
  );
  return { derivations: [...lostMemos, ...derivations] };
}

// First of all: nothing below could read them.
async function forgetRecords(database: Database, damages: readonly Damage[]): Promise<void> {
  await database.transaction(() => {
    database.markDeletion();
    for (const damage of damages) {
      if (damage.kind === 'directory') void database.table('directories').remove(damage.digest);
      if (damage.kind === 'record') void database.table(damage.table).remove(damage.key);
    }
  });
}

// A folder that was altered, not only left behind: what steps made of it since it was last known to be whole is not to be
// believed. What people are given is not what steps are run on.
async function forgetUsers({ database, layout }: MaintenanceContext, entry: string): Promise<void> {
  if (!entry.startsWith(`${layout.trees}/`)) return;
  if (lstatSync(entry, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const sinceMs = lstatSync(`${entry}/${sealName}`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const hash = entryHash(entry.slice(layout.trees.length + 1));
  await forgetBuiltFrom(hash, sinceMs, database);
}

function hashOf(damage: Damage): string[] {
  switch (damage.kind) {
    case 'blob':
      return [damage.name.slice(0, 64)];
    case 'directory':
    case 'missing':
      return [damage.digest.slice(0, 64)];
    case 'tree':
    case 'record':
      return [];
  }
}

function moveAside({ layout }: MaintenanceContext, path: string, name: string): void {
  makeFolders(layout.corrupt);
  renameIfThere(path, `${layout.corrupt}/${name}`);
}

function forgetHolders(database: Database, hashes: ReadonlySet<string>): Digest[] {
  const holding = new Holding(hashes, database);
  const isHeld = (outputs: Readonly<Record<string, Node>>): boolean =>
    Object.values(outputs).some((node) => holding.holds(node));
  for (const { claim, facts } of [...realisationsOf(database)]) {
    const hasLost = facts.log !== undefined && hashes.has(digestHash(facts.log));
    if (hasLost || isHeld(claim.outputs)) void database.table('realisations').remove(claim.action);
  }
  const forgotten = [...memosOf(database)].filter(([, { outputs }]) => isHeld(outputs));
  for (const [derivation] of forgotten) void database.table('memos').remove(derivation);
  return forgotten.map(([derivation]) => derivation);
}
