// The LMDB environment and its tables. Knows nothing of what the records mean.

import { randomBytes } from 'node:crypto';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bug, UserError } from '../base/errors.ts';
import { beginsFromLastCommit } from './commit-number.ts';
import { DatabaseErrors, databaseCorrupt } from './database-errors.ts';
import { readMetas, type Meta } from './database-header.ts';
import { walkDatabase } from './database-pages.ts';
import { dataFile, openLmdb, type Environment } from './open-lmdb.ts';
import { forgetSound, isKnownSound, noteSound } from './sound-mark.ts';
import { durableTables, volatileTables, type TableName } from './table-names.ts';
import { Table, type LmdbTable } from './table.ts';

/** For so long a database that seems damaged is looked at again: another process may just be making or growing it. */
const patienceMs = 1000;
const pauseMs = 20;

const lostHeads = 'its first pages are not what they should be';

/**
 * One environment: tables of binary records by text key. One that is flushed is written to by {@link transaction} alone, one
 * that is not by {@link transactionSync} alone: a synchronous transaction makes LMDB commit early what is under way, and when
 * the disk refuses that, lmdb-js goes on with a transaction that is gone, in memory that is somebody else's by then.
 */
export class Database {
  readonly #folder: string;
  readonly #durable: boolean;
  readonly #environment: Environment;
  readonly #errors: DatabaseErrors;
  readonly #tables = new Map<TableName, Table>();
  /** Commits that are under way. */
  readonly #commits = new Set<Promise<unknown>>();

  private constructor(folder: string, durable: boolean) {
    this.#folder = folder;
    this.#durable = durable;
    this.#environment = openLmdb(folder, { durable });
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
    // In a transaction even when there is nothing to look at: what our opening it has done to the number of the last commit is
    // set right by it, for those who only read too.
    const [damage] = database.#synchronously(() => (isSound ? [] : damagesOf(join(folder, dataFile))));
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

  /** A table. @throws UserError `STORE_CORRUPT`, `DISK_FULL` */
  table(name: TableName): Table {
    this.#openTables();
    return this.#tables.get(name) ?? bug(`the database in ${this.#folder} has no table ${name}`);
  }

  // All of them when the first is needed, since those that are not there yet are made. That is a synchronous transaction, which
  // none may be once commits are under way. What a transaction has opened that fails is not open.
  #openTables(): void {
    if (this.#tables.size > 0) return;
    const names = this.#durable ? durableTables : volatileTables;
    const opened = this.#synchronously(() => names.map((name) => [name, this.#opened(name)] as const));
    for (const [name, table] of opened) this.#tables.set(name, table);
  }

  #opened(name: TableName): Table {
    const table: LmdbTable = this.#environment.openDB<Buffer, string>({ name, encoding: 'binary' });
    return new Table(name, table, this.#errors);
  }

  /** Runs `write` in a write transaction; resolves when it is committed. Transactions asked for at once share a commit. */
  async transaction(write: () => void): Promise<void> {
    if (!this.#durable) bug('a database that is not flushed is written to at once');
    this.#openTables();
    while (!(await this.#committed(write)));
  }

  // False when nothing was written since the transaction was not one that could be committed, and has to be asked for again.
  async #committed(write: () => void): Promise<boolean> {
    let thrown: unknown;
    let isSound = false;
    const commit = this.#environment.transaction(() => {
      try {
        isSound = this.#beginsSoundly();
        if (isSound) write();
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
    return isSound;
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
    this.#openTables();
    return this.#synchronously(write);
  }

  #synchronously<T>(work: () => T): T {
    for (;;) {
      const done = this.#errors.explained(() =>
        this.#environment.transactionSync(() => (this.#beginsSoundly() ? { result: work() } : undefined)),
      );
      if (done !== undefined) return done.result;
    }
  }

  #beginsSoundly(): boolean {
    return beginsFromLastCommit(this.#environment, this.#folder);
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

function isDamage(error: unknown): boolean {
  return error instanceof UserError && error.code === 'STORE_CORRUPT';
}
