// The LMDB environment and its tables. The only file that opens LMDB. Knows nothing of what the records mean.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type * as lmdb from 'lmdb';
import { UserError } from '../base/errors.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { isDatabaseFile } from './database-header.ts';

// Its CommonJS form is one file and loads in two thirds of the time that its modules take.
const { open } = createRequire(import.meta.url)('lmdb') as typeof lmdb;

export type Table = lmdb.Database<Buffer, string>;

/** For so long a database that seems damaged is looked at again: another process may just be making or growing it. */
const patienceMs = 1000;
const pauseMs = 20;

/** Address space reserved for the map, not disk space: the file grows as it is filled. */
const mapBytes = 2 ** 38;

/** One environment: tables of binary records by text key. */
export class Database {
  readonly #environment: lmdb.RootDatabase<Buffer, string>;
  readonly #folder: string;
  readonly #tables = new Map<string, Table>();

  private constructor(environment: lmdb.RootDatabase<Buffer, string>, folder: string) {
    this.#environment = environment;
    this.#folder = folder;
  }

  /**
   * Opens or creates the environment in a folder. Without `durable` nothing is flushed: for records that
   * need not outlive the machine's next start.
   * @throws UserError `STORE_UNUSABLE`, `STORE_CORRUPT`.
   */
  static open(folder: string, options: { readonly durable: boolean }): Database {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return Database.#openNow(folder, options);
      } catch (error) {
        if (!isDamage(error) || performance.now() > deadlineMs) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  static #openNow(folder: string, { durable }: { readonly durable: boolean }): Database {
    if (!isDatabaseFile(join(folder, 'data.mdb'))) throw corrupt(folder, 'it is damaged');
    try {
      return new Database(
        open({
          path: folder,
          noSubdir: false,
          encoding: 'binary',
          maxDbs: 16,
          maxReaders: 1000,
          mapSize: mapBytes,
          // LMDB's own order: data, flush, meta page, flush. A commit that has resolved is on the disk.
          overlappingSync: false,
          ...(durable ? {} : { noSync: true }),
        }),
        folder,
      );
    } catch (cause) {
      throw openError(folder, cause);
    }
  }

  /** A table, opened when it is first needed. */
  table(name: string): Table {
    const opened = this.#tables.get(name);
    if (opened !== undefined) return opened;
    const table = this.#explained(() =>
      this.#environment.openDB<Buffer, string>({ name, encoding: 'binary' }),
    );
    this.#tables.set(name, table);
    return table;
  }

  /** Runs `write` in a write transaction; resolves when it is committed. Transactions asked for at once share a commit. */
  async transaction(write: () => void): Promise<void> {
    try {
      await this.#environment.transaction(write);
    } catch (error) {
      throw explainWriteError(await commitError(error), this.#folder);
    }
  }

  /** The same at once, on this thread: for tiny writes that are not flushed. */
  transactionSync<T>(write: () => T): T {
    return this.#explained(() => this.#environment.transactionSync(write));
  }

  /** Says, inside a transaction, that it takes directories away. */
  markDeletion(): void {
    void this.table('state').put('deletions', randomBytes(8));
  }

  /** Differs from what it was once directories were taken away. */
  deletions(): string {
    return this.table('state').get('deletions')?.toString('hex') ?? '';
  }

  /** Makes the next read see what other processes have committed by now. */
  refresh(): void {
    this.#environment.resetReadTxn();
  }

  close(): Promise<void> {
    return this.#environment.close();
  }

  // A full disk is met here first by many a command that writes nothing but a lock.
  #explained<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw explainWriteError(error, this.#folder);
    }
  }
}

// A commit that was shared fails with an error that leads to the one that says why.
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    return await error.commitError;
  } catch (cause) {
    return cause;
  }
}

function openError(folder: string, cause: unknown): UserError {
  const explained = explainWriteError(cause, folder);
  if (explained instanceof UserError) return explained;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Permission denied|Read-only/.test(message)) {
    return new UserError('STORE_UNUSABLE', `the store's database in ${folder} cannot be written`, {
      hint: 'Give this user write access to the store, or name another with CAIRN_STORE.',
      fault: 'environment',
      cause,
    });
  }
  return corrupt(folder, message, cause);
}

function isDamage(error: unknown): boolean {
  return error instanceof UserError && error.code === 'STORE_CORRUPT';
}

function corrupt(folder: string, why: string, cause?: unknown): UserError {
  return new UserError('STORE_CORRUPT', `the store's database in ${folder} cannot be opened: ${why}`, {
    hint: `Move ${folder} aside: it is made anew, and what it recorded is built again.`,
    fault: 'environment',
    cause,
  });
}
