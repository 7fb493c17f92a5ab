// One table of the database: binary records by text key, each checked when it is read. Knows nothing of what they mean.

import type * as lmdb from 'lmdb';
import { recordError, type DatabaseErrors } from './database-errors.ts';
import { openRecord, sealRecord } from './record-form.ts';

export type LmdbTable = lmdb.Database<Buffer, string>;

/** Keys from `start` on and before `end`. */
export interface KeyRange {
  readonly start?: string;
  readonly end?: string;
  readonly limit?: number;
}

export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Every method may throw `STORE_CORRUPT`, and one that writes `DISK_FULL`. */
export class Table {
  readonly #name: string;
  readonly #table: LmdbTable;
  readonly #errors: DatabaseErrors;

  constructor(name: string, table: LmdbTable, errors: DatabaseErrors) {
    this.#name = name;
    this.#table = table;
    this.#errors = errors;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#errors.explained(() => this.#table.get(key));
    return bytes === undefined ? undefined : this.#opened(key, bytes);
  }

  doesExist(key: string): boolean {
    return this.#errors.explained(() => this.#table.doesExist(key));
  }

  *getKeys(range: KeyRange = {}): Generator<string> {
    yield* this.#all(this.#table.getKeys(range));
  }

  *getRange(range: KeyRange = {}): Generator<Entry> {
    for (const { key, value } of this.#all(this.#table.getRange(range)))
      yield { key, value: this.#opened(key, value) };
  }

  /** Every record, without its value when it is damaged. */
  *inspect(
    range: KeyRange = {},
  ): Generator<{ readonly key: string; readonly value: Uint8Array | undefined }> {
    for (const { key, value } of this.#all(this.#table.getRange(range)))
      yield { key, value: openRecord(this.#name, key, value) };
  }

  /** To be called inside a transaction, as {@link remove} is. */
  put(key: string, content: Uint8Array): Promise<boolean> {
    return this.#table.put(key, sealRecord(this.#name, key, content));
  }

  remove(key: string): Promise<boolean> {
    return this.#table.remove(key);
  }

  /** Inside a synchronous transaction, as {@link removeSync}. */
  putSync(key: string, content: Uint8Array): void {
    this.#table.putSync(key, sealRecord(this.#name, key, content));
  }

  removeSync(key: string): void {
    this.#table.removeSync(key);
  }

  #opened(key: string, bytes: Uint8Array): Uint8Array {
    return openRecord(this.#name, key, bytes) ?? recordError(this.#name, key);
  }

  *#all<T>(items: Iterable<T>): Generator<T> {
    const iterator = this.#errors.explained(() => items[Symbol.iterator]());
    try {
      for (;;) {
        const next = this.#errors.explained(() => iterator.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      iterator.return?.();
    }
  }
}
