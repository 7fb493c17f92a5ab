// Mends a database that is damaged in how it is made up, which no store can be opened with: what can be read of it goes into a
// fresh one. LMDB is not asked before the file was found to be sound, since damage may end its process.

import { existsSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import type { Layout } from '../layout.ts';
import { volatileDatabase } from '../processes/owner.ts';
import { Database } from '../records/database.ts';
import { replaceDatabase } from '../records/replace-database.ts';
import type { DatabaseRepair } from '../store.ts';
import { whileAlone } from './alone.ts';

/** Undefined when nothing is damaged. @throws UserError `STORE_CORRUPT` while other processes use the store. */
export async function mendDatabase(layout: Layout): Promise<DatabaseRepair | undefined> {
  const damage = await damageOf(layout);
  if (damage === undefined) return undefined;
  return whileAlone(layout, inUse(layout, damage), async (freshPath) => {
    // The name of a day and a second is for people; the session's folder is nobody else's.
    const keptAs = `${layout.corrupt}/database-${new Date().toISOString().replace(/\W/g, '-')}`;
    const { kept, damages } = await replaceDatabase({
      folder: layout.database,
      workFolder: freshPath('database'),
      keepAs: keptAs,
    });
    return { kept, damages: damages.length === 0 ? [damage] : damages, keptAs };
  });
}

// The first thing that is wrong with one of the databases: the durable one, or the one in it, which is thrown away with it.
async function damageOf(layout: Layout): Promise<string | undefined> {
  for (const folder of [layout.database, volatileDatabase(layout)].filter(existsSync)) {
    const damage = await damageIn(folder, folder === layout.database);
    if (damage !== undefined) return damage;
  }
  return undefined;
}

async function damageIn(folder: string, durable: boolean): Promise<string | undefined> {
  try {
    const opened = Database.open(folder, { durable });
    const [damage] = await opened.damages();
    await opened.close();
    return damage;
  } catch (error) {
    if (error instanceof UserError && error.code === 'STORE_CORRUPT') return error.message;
    throw error;
  }
}

function inUse({ root }: Layout, why: string): UserError {
  return new UserError('STORE_CORRUPT', `the store in ${root} is used by another process: ${why}`, {
    hint: 'End the processes that use it, then run `cairn store repair` again.',
    fault: 'environment',
  });
}
