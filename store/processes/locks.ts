// Locks between processes: records in a database that is not flushed, taken inside its write transactions, so that two
// takers never both win. A holder that has died is replaced.

import { setTimeout } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { encodeCbor, readCbor } from '../base/cbor.ts';
import type { Database, Table } from '../records/database.ts';
import { describeOwner, isAlive, thisProcess, type Owner } from './owner.ts';
import type { HeldLock, Lock, Locks } from '../store.ts';

/** How long a waiter sleeps between looks at what another process holds. */
const pollMs = 100;

/** The locks of one open store. */
export class DatabaseLocks implements Locks {
  readonly #database: () => Database;
  readonly #afterAcquire: () => void;
  /** By key, what wakes the next waiter of this store. */
  readonly #wakers = new Map<string, Set<() => void>>();

  /**
   * @param database opened when the first lock is asked for
   * @param afterAcquire called when a lock was got, before its holder may read what the last one wrote
   */
  constructor(database: () => Database, afterAcquire: () => void) {
    this.#database = database;
    this.#afterAcquire = afterAcquire;
  }

  tryAcquire(key: string): Lock | HeldLock {
    const token = randomBytes(8).toString('hex');
    const holder = this.#take(key, token);
    if (holder !== undefined)
      return { kind: 'held', holder: describeOwner(holder), freed: (signal) => this.#freed(key, signal) };
    this.#afterAcquire();
    return { kind: 'lock', release: () => this.#release(key, token) };
  }

  async acquire(
    key: string,
    options: { readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void } = {},
  ): Promise<Lock> {
    for (let looks = 0; ; looks++) {
      options.signal?.throwIfAborted();
      const got = this.tryAcquire(key);
      if (got.kind === 'lock') return got;
      if (looks === 0) options.onWait?.(got.holder);
      await this.#change(key, options.signal);
    }
  }

  // Looks without taking: who waited takes it in its turn.
  async #freed(key: string, signal: AbortSignal): Promise<void> {
    while (this.#holder(key) !== undefined) {
      signal.throwIfAborted();
      await this.#change(key, signal);
    }
  }

  #holder(key: string): Owner | undefined {
    this.#database().refresh();
    return livingHolder(this.#table().get(key));
  }

  // The living holder that is in the way, or undefined when the lock is ours now.
  #take(key: string, token: string): Owner | undefined {
    const table = this.#table();
    return this.#database().transactionSync(() => {
      const holder = livingHolder(table.get(key));
      if (holder !== undefined) return holder;
      table.putSync(key, Buffer.from(encodeCbor({ token, owner: { ...thisProcess() } })));
      return undefined;
    });
  }

  async #release(key: string, token: string): Promise<void> {
    const table = this.#table();
    this.#database().transactionSync(() => {
      const bytes = table.get(key);
      if (bytes !== undefined && (readCbor(bytes) as unknown as LockRecord).token === token) {
        table.removeSync(key);
      }
    });
    for (const wake of this.#wakers.get(key) ?? []) wake();
    await Promise.resolve();
  }

  // A release by this store wakes at once; another process's is seen at the next look.
  async #change(key: string, signal: AbortSignal | undefined): Promise<void> {
    const wakers = this.#wakers.get(key) ?? new Set();
    this.#wakers.set(key, wakers);
    const controller = new AbortController();
    const wake = (): void => controller.abort();
    wakers.add(wake);
    signal?.addEventListener('abort', wake, { once: true });
    try {
      await setTimeout(pollMs, undefined, { signal: controller.signal });
    } catch {
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener('abort', wake);
      wakers.delete(wake);
      if (wakers.size === 0) this.#wakers.delete(key);
    }
  }

  #table(): Table {
    return this.#database().table('locks');
  }
}

function livingHolder(bytes: Uint8Array | undefined): Owner | undefined {
  const held = bytes === undefined ? undefined : (readCbor(bytes) as unknown as LockRecord);
  return held !== undefined && isAlive(held.owner) ? held.owner : undefined;
}

interface LockRecord {
  readonly token: string;
  readonly owner: Owner;
}
