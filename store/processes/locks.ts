// Locks between processes: records in a database that is not flushed, taken inside its write transactions, so that two
// takers never both win. A holder that has died is replaced.

import { setTimeout } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { encodeCbor, readCbor } from '../base/cbor.ts';
import type { Database } from '../records/database.ts';
import type { Table } from '../records/table.ts';
import type { HeldLock, Lock, Locks } from '../store.ts';
import { describeOwner, type Owner } from './owner.ts';

export interface LocksContext {
  /** Opened when the first lock is asked for. */
  readonly database: () => Database;
  /** This open store, which shows life from now on. */
  readonly owner: () => Owner;
  readonly isAlive: (session: string) => Promise<boolean>;
  /** Called when a lock was got, before its holder may read what the last one wrote. */
  readonly afterAcquire: () => void;
}

/** How long a waiter sleeps between looks at what another process holds. */
const pollMs = 100;

/** The locks of one open store. */
export class DatabaseLocks implements Locks {
  readonly #context: LocksContext;
  /** By key, what wakes the next waiter of this store. */
  readonly #wakers = new Map<string, Set<() => void>>();

  constructor(context: LocksContext) {
    this.#context = context;
  }

  async tryAcquire(key: string): Promise<Lock | HeldLock> {
    const token = randomBytes(8).toString('hex');
    for (let dead: LockRecord | undefined; ;) {
      const held = this.#take(key, token, dead);
      if (held === undefined) break;
      if (await this.#isHolding(held))
        return {
          kind: 'held',
          holder: describeOwner(held.owner),
          freed: (signal) => this.freed(key, signal),
        };
      dead = held;
    }
    this.#context.afterAcquire();
    return { kind: 'lock', release: () => this.#release(key, token) };
  }

  async acquire(
    key: string,
    options: { readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void } = {},
  ): Promise<Lock> {
    for (let looks = 0; ; looks++) {
      options.signal?.throwIfAborted();
      const got = await this.tryAcquire(key);
      if (got.kind === 'lock') return got;
      if (looks === 0) options.onWait?.(got.holder);
      await this.#change(key, options.signal);
    }
  }

  /** Resolves when nobody holds `key` for a moment. Looks without taking: who waited takes it in its turn. */
  async freed(key: string, signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      if (!(await this.isHeld(key))) return;
      await this.#change(key, signal);
    }
  }

  /** True when somebody holds `key` now. */
  async isHeld(key: string): Promise<boolean> {
    this.#context.database().refresh();
    const held = recordOf(this.#table().get(key));
    return held !== undefined && (await this.#isHolding(held));
  }

  // A dead holder never comes back; this store's own locks are held by whoever let them not go.
  async #isHolding({ owner }: LockRecord): Promise<boolean> {
    return owner.session === this.#context.owner().session || (await this.#context.isAlive(owner.session));
  }

  // What is in the way, or undefined when the lock is ours now. `dead` was looked at, and is no hindrance.
  #take(key: string, token: string, dead: LockRecord | undefined): LockRecord | undefined {
    const table = this.#table();
    const owner = this.#context.owner();
    return this.#context.database().transactionSync(() => {
      const held = recordOf(table.get(key));
      if (held !== undefined && held.token !== dead?.token) return held;
      table.putSync(key, encodeCbor({ token, owner: { ...owner } }));
      return undefined;
    });
  }

  async #release(key: string, token: string): Promise<void> {
    const table = this.#table();
    this.#context.database().transactionSync(() => {
      if (recordOf(table.get(key))?.token === token) table.removeSync(key);
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
    return this.#context.database().table('locks');
  }
}

interface LockRecord {
  readonly token: string;
  readonly owner: Owner;
}

function recordOf(bytes: Uint8Array | undefined): LockRecord | undefined {
  return bytes === undefined ? undefined : (readCbor(bytes) as unknown as LockRecord);
}
