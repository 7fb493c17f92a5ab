// What LMDB says about damage, and what a record says that is not what was written, as errors for people.

import { UserError } from '../base/errors.ts';
import { explainWriteError } from '../content/disk-errors.ts';

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

/** Turns what LMDB says into errors for people. The one place where that is done for an environment. */
export class DatabaseErrors {
  readonly #folder: string;
  /** What the disk refused last. */
  #refused: UserError | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Does something with LMDB. @throws UserError `STORE_CORRUPT`, `DISK_FULL`, `STORE_UNUSABLE` */
  explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** The error that a person should see: `error` itself when it is none of LMDB's. */
  explain(error: unknown): unknown {
    const refused = explainWriteError(error, this.#folder);
    if (refused !== error && refused instanceof UserError) return (this.#refused = refused);
    const code = codeOf(error);
    if (this.#refused !== undefined && afterRefusal.has(code)) return this.#refused;
    return damageCodes.has(code) ? damaged(error as Error) : error;
  }
}

function damaged(error: Error): UserError {
  return new UserError('STORE_CORRUPT', `the store's database is damaged: ${error.message}`, {
    hint: mend,
    fault: 'environment',
    cause: error,
  });
}

// LMDB's codes are numbers; those of Node.js are words.
function codeOf(error: unknown): unknown {
  return error instanceof Error ? (error as { readonly code?: unknown }).code : undefined;
}

/** What LMDB says when it cannot go on after the disk has refused something, of others that shared the commit for example. */
const afterRefusal: ReadonlySet<unknown> = new Set([
  22, // EINVAL: a transaction could not begin
  -30795, // MDB_PANIC
  -30782, // MDB_BAD_TXN
]);

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
