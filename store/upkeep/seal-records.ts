// Brings a store up from the form whose records had no checksums: all of them are written again, with one.

import { UserError } from '../base/errors.ts';
import type { Layout } from '../layout.ts';
import { Database } from '../records/database.ts';
import { replaceDatabase } from '../records/replace-database.ts';
import { openRecord } from '../records/record-form.ts';
import { whileAlone } from './alone.ts';

/** Ended half-way, it may begin again. @throws UserError `STORE_UNUSABLE` while others use the store, `STORE_CORRUPT` */
export async function sealRecords(layout: Layout): Promise<void> {
  await whileAlone(layout, inUse(layout), async (freshPath) => {
    await refuseDamage(layout);
    await replaceDatabase({
      folder: layout.database,
      workFolder: freshPath('database'),
      read: (table, key, bytes) => openRecord(table, key, bytes) ?? bytes,
    });
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
