// Brings a store up from an older form. Records of the oldest had no checksums: all of them are written again, with one.
// Realisations of both did not say by which revision of what performed them they came about: they are left out, and what
// memos name stays up to date all the same.

import { UserError } from '../base/errors.ts';
import type { formersOfStoreFormat, Layout } from '../layout.ts';
import { Database } from '../records/database.ts';
import { replaceDatabase } from '../records/replace-database.ts';
import { openRecord } from '../records/record-form.ts';
import { whileAlone } from './alone.ts';

type FormerFormat = (typeof formersOfStoreFormat)[number];

/** Ended half-way, it may begin again. @throws UserError `STORE_UNUSABLE` while others use the store, `STORE_CORRUPT` */
export async function upgradeStore(layout: Layout, format: FormerFormat): Promise<void> {
  await whileAlone(layout, inUse(layout), async (freshPath) => {
    if (format === 'cairn-store-2') await sealRecords(layout, freshPath('database'));
    const database = Database.open(layout.database, { durable: true });
    try {
      await database.transaction(() => {
        const table = database.table('realisations');
        for (const action of table.getKeys()) void table.remove(action);
      });
    } finally {
      await database.close();
    }
  });
}

async function sealRecords(layout: Layout, workFolder: string): Promise<void> {
  await refuseDamage(layout);
  await replaceDatabase({
    folder: layout.database,
    workFolder,
    read: (table, key, bytes) => openRecord(table, key, bytes) ?? bytes,
  });
}

// Nothing tells which of its records are still what they were.
async function refuseDamage({ database }: Layout): Promise<void> {
  try {
    await Database.open(database, { durable: true }).close();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'STORE_CORRUPT') throw error;
    throw new UserError(error.code, error.message, {
      hint: `Move ${database} aside: it is made anew, and what it recorded is built again.`,
      fault: 'environment',
      cause: error,
    });
  }
}

function inUse({ root }: Layout): UserError {
  return new UserError('STORE_UNUSABLE', `the store in ${root} is of an older form, and in use`, {
    hint: 'Wait until the processes that use it have ended, then run the command again: it is brought up to date then.',
    fault: 'environment',
  });
}
