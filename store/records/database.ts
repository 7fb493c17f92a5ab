// The LMDB environment and its tables. The only file that opens LMDB. Knows nothing of what the records mean.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type * as lmdb from 'lmdb';
import { bug, UserError } from '../base/errors.ts';
import { shareAlike } from '../base/make-folder.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { DatabaseErrors, databaseCorrupt } from './database-errors.ts';
import { readMetas, type Meta } from './database-header.ts';
import { walkDatabase } from './database-pages.ts';
import { makeLockFile } from './lock-file.ts';
import { forgetSound, isKnownSound, noteSound } from './sound-mark.ts';
import { durableTables, type TableName } from './table-names.ts';
import { Table, type LmdbTable } from './table.ts';

// Its CommonJS form is one file and loads in two thirds of the time that its modules take.
const { open } = createRequire(import.meta.url)('lmdb') as typeof lmdb;

/** The file in a database's folder that holds its pages. */
export const dataFile = 'data.mdb';

/** For so long a database that seems damaged is looked at again: another process may just be making or growing it. */
const patienceMs = 1000;
const pauseMs = 20;

const lostHeads = 'its first pages are not what they should be';

/** Address space reserved for the map, not disk space: the file grows as it is filled. */
const mapBytes = 2 ** 38;

/** How many processes may read at once. */
const readers = 1000;

/**
 * One environment: tables of binary records by text key. One that is flushed is written to by {@link transaction} alone, one
 * that is not by {@link transactionSync} alone: a synchronous transaction makes LMDB commit early what is under way, and when
 * the disk refuses that, lmdb-js goes on with a transaction that is gone, in memory that is somebody else's by then.
 */
export class Database {
  readonly #folder: string;
  readonly #durable: boolean;
  readonly #environment: lmdb.RootDatabase<Buffer, string>;
  readonly #errors: DatabaseErrors;
  readonly #tables = new Map<TableName, Table>();
  /** Commits that are under way. */
  readonly #commits = new Set<Promise<unknown>>();

  private constructor(folder: string, durable: boolean) {
    this.#folder = folder;
    this.#durable = durable;
    this.#environment = openEnvironment(folder, durable);
    this.#errors = new DatabaseErrors(folder);
  }

  /**
   * Opens or creates the environment in a folder. Without `durable` nothing is flushed: for records that
   * need not outlive the machine's next start. Unless whoever had it open last has left it sound and nobody has written to it
   * since, all its pages are looked at first.
   * @throws UserError `STORE_UNUSABLE`, `STORE_CORRUPT`.
   */
  static open(folder: string, options: { readonly durable: boolean }): Database {
    const isSound = isKnownSound(folder, dataFile);
    const database = Database.#openPatiently(folder, options);
    // Whoever ends without saying that it is sound may have ended because it is not.
    forgetSound(folder);
    const [damage] = isSound ? [] : database.#damagesNow();
    if (damage === undefined) return database;
    void database.#environment.close();
    throw databaseCorrupt(folder, damage);
  }

  static #openPatiently(folder: string, options: { readonly durable: boolean }): Database {
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
    if (!hasSoundMetas(join(folder, dataFile))) throw databaseCorrupt(folder, lostHeads);
    return new Database(folder, durable);
  }

  /** What is damaged in how the file is made up, for people. No record is looked into. */
  async damages(): Promise<readonly string[]> {
    while (this.#commits.size > 0) await Promise.allSettled(this.#commits);
    return this.#damagesNow();
  }

  #damagesNow(): readonly string[] {
    // Inside a transaction nobody else writes.
    return this.#synchronously(() => damagesOf(join(this.#folder, dataFile)));
  }

  /** A table, opened when it is first needed. @throws UserError `STORE_CORRUPT`, `DISK_FULL` */
  table(name: TableName): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = this.#opened(name);
      this.#tables.set(name, table);
    }
    return table;
  }

  #opened(name: TableName): Table {
    const table = this.#errors.explained((): LmdbTable =>
      this.#environment.openDB<Buffer, string>({ name, encoding: 'binary' }),
    );
    return new Table(name, table, this.#errors);
  }

  // Opening one is a synchronous transaction, which none may be once commits are under way. What a transaction has opened that
  // fails is not open.
  #openAllTables(): void {
    const missing = durableTables.filter((name) => !this.#tables.has(name));
    if (missing.length === 0) return;
    const opened = this.#synchronously(() => missing.map((name) => [name, this.#opened(name)] as const));
    for (const [name, table] of opened) this.#tables.set(name, table);
  }

  /** Runs `write` in a write transaction; resolves when it is committed. Transactions asked for at once share a commit. */
  async transaction(write: () => void): Promise<void> {
    if (!this.#durable) bug('a database that is not flushed is written to at once');
    this.#openAllTables();
    let thrown: unknown;
    const commit = this.#environment.transaction(() => {
      try {
        write();
      } catch (error) {
        thrown = error;
        throw error;
      }
    });
    this.#commits.add(commit);
    try {
      await commit;
    } catch (error) {
      // LMDB commits after that, and says only that it cannot.
      throw this.#errors.explain(thrown ?? (await commitError(error)));
    } finally {
      this.#commits.delete(commit);
    }
  }

  /**
   * Commits once more, so that neither of the two states that the file holds has what was removed before: mending a damaged
   * one may fall back on the older.
   */
  async settle(): Promise<void> {
    await this.transaction(() => void this.table('settled').put('at', Buffer.from(`${Date.now()}`)));
  }

  /** The same at once, on this thread: for tiny writes that are not flushed. */
  transactionSync<T>(write: () => T): T {
    if (this.#durable) bug('a database that is flushed is not written to at once');
    return this.#synchronously(write);
  }

  #synchronously<T>(work: () => T): T {
    return this.#errors.explained(() => this.#environment.transactionSync(work));
  }

  /** Says, inside a transaction, that it takes directories or records away that others may count on. */
  markDeletion(): void {
    void this.table('state').put('deletions', randomBytes(8));
  }

  /** Differs from what it was once a transaction that said so has taken something away. */
  deletions(): string {
    return Buffer.from(this.table('state').get('deletions') ?? []).toString('hex');
  }

  /** Makes the next read see what other processes have committed by now. */
  refresh(): void {
    this.#environment.resetReadTxn();
  }

  async close(): Promise<void> {
    await this.#environment.close();
    noteSound(this.#folder, dataFile);
  }
}

function openEnvironment(folder: string, durable: boolean): lmdb.RootDatabase<Buffer, string> {
  try {
    makeLockFile(folder, readers);
    const environment: lmdb.RootDatabase<Buffer, string> = open({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      maxDbs: 16,
      maxReaders: readers,
      mapSize: mapBytes,
      // LMDB's own order: data, flush, meta page, flush. A commit that has resolved is on the disk.
      overlappingSync: false,
      // Else lmdb-js makes promises that nobody is given, and that fail with the commit.
      eventTurnBatching: false,
      ...(durable ? {} : { noSync: true }),
    });
    shareAlike(join(folder, dataFile));
    return environment;
  } catch (cause) {
    throw openError(folder, cause);
  }
}

// LMDB takes the one meta page for what the other says when it is damaged, and so may show an older state.
function hasSoundMetas(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.size === 0) return true;
  return withFile(path, (file) => readMetas(file).every((meta) => meta !== undefined));
}

function damagesOf(path: string): readonly string[] {
  return withFile(path, (file) => {
    const meta = newestState(readMetas(file));
    return meta === undefined ? [lostHeads] : walkDatabase(file, meta).damages;
  });
}

/** The last state that was committed, of those whose heads are sound. */
export function newestState(metas: readonly (Meta | undefined)[]): Meta | undefined {
  return metas
    .filter((meta) => meta !== undefined)
    .reduce<Meta | undefined>(
      (newest, meta) => (newest !== undefined && newest.transaction > meta.transaction ? newest : meta),
      undefined,
    );
}

/** Does something with a file that is read. */
export function withFile<T>(path: string, use: (file: number) => T): T {
  const file = openSync(path, 'r');
  try {
    return use(file);
  } finally {
    closeSync(file);
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
  return databaseCorrupt(folder, message, cause);
}

function isDamage(error: unknown): boolean {
  return error instanceof UserError && error.code === 'STORE_CORRUPT';
}
