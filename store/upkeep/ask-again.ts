// Asks again of what verification found damaged, while no garbage is collected: what a collection took away between being
// listed and being read is no damage. A collection takes records first, then what they promise, and holds its lock meanwhile;
// under that lock, what a record promises and what is not there is lost.

import { lstatSync } from 'node:fs';
import { digestHash, type Digest } from '../base/digest.ts';
import { hashFileSync } from '../content/hash-file.ts';
import { collectionLock } from '../processes/uses.ts';
import type { DurableTable } from '../records/table-names.ts';
import type { Damage } from '../store.ts';
import { isDamagedEntry, isDirectory, isRecord, missingContent, treesNow } from './damaged.ts';
import type { MaintenanceContext } from './maintenance-context.ts';

/** Those of the damages that are still there. */
export async function askAgain(
  context: MaintenanceContext,
  damages: readonly Damage[],
  signal: AbortSignal | undefined,
): Promise<readonly Damage[]> {
  if (damages.length === 0) return damages;
  const lock = await context.lock(collectionLock, signal);
  try {
    const trees = treesNow(context);
    const { missing } = missingContent(context);
    const remaining: Damage[] = [];
    for (const damage of damages) if (await isThere(damage)) remaining.push(damage);
    return remaining;

    async function isThere(damage: Damage): Promise<boolean> {
      switch (damage.kind) {
        case 'blob':
          return exists(damage.path) && hashOf(damage.path) !== damage.name.slice(0, 64);
        case 'record':
          return isInTable(context, damage, (value) => !isRecord(damage.table, damage.key, value));
        case 'directory':
          return isInTable(
            context,
            { table: 'directories', key: damage.digest },
            (value) => !isDirectory(damage.digest, value),
          );
        case 'tree':
          return exists(damage.path) && (await isDamagedEntry(context, damage.path, trees));
        case 'missing':
          return missing.has(damage.digest);
      }
    }
  } finally {
    await lock.release();
  }
}

function isInTable(
  { database }: MaintenanceContext,
  { table, key }: { readonly table: DurableTable; readonly key: Digest | string },
  isSo: (value: Uint8Array | undefined) => boolean,
): boolean {
  const [found] = database.table(table).inspect({ start: key, limit: 1 });
  return found?.key === key && isSo(found.value);
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function hashOf(path: string): string | undefined {
  try {
    return digestHash(hashFileSync(path));
  } catch {
    return undefined; // it cannot be read
  }
}
