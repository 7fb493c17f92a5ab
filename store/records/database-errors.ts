// What LMDB says about damage, and what a record says that is not what was written, as errors for people.

import { UserError } from '../base/errors.ts';

const mend = 'Run `cairn store repair`: it keeps what can still be read, and what is lost is built again.';

/** `STORE_CORRUPT` for the database in a folder. */
export function databaseCorrupt(folder: string, why: string, cause?: unknown): UserError {
  return new UserError('STORE_CORRUPT', `the store's database in ${folder} is damaged: ${why}`, {
    hint: mend,
    fault: 'environment',
    cause,
  });
}

/** @throws UserError `STORE_CORRUPT` */
export function recordError(table: string, key: string): never {
  throw new UserError('STORE_CORRUPT', `the record ${key} in the store's table ${table} is damaged`, {
    hint: mend,
    fault: 'environment',
  });
}

/** Does something with LMDB. @throws UserError `STORE_CORRUPT` for what LMDB takes for damage */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainDamage(error);
  }
}

/** The error a person should see: itself unless it is LMDB's word for damage. */
export function explainDamage(error: unknown): unknown {
  if (!(error instanceof Error) || !isDamage(error)) return error;
  return new UserError('STORE_CORRUPT', `the store's database is damaged: ${error.message}`, {
    hint: mend,
    fault: 'environment',
    cause: error,
  });
}

// lmdb.h, "Return Codes".
const damageCodes: ReadonlySet<unknown> = new Set([
  -30797, // MDB_PAGE_NOTFOUND
  -30796, // MDB_CORRUPTED
  -30793, // MDB_INVALID
  -30787, // MDB_CURSOR_FULL
  -30786, // MDB_PAGE_FULL
  -30784, // MDB_INCOMPATIBLE
  -30779, // MDB_PROBLEM
]);

function isDamage(error: Error & { readonly code?: unknown }): boolean {
  return damageCodes.has(error.code);
}
