// What the store's upkeep works on. A type only, so that its parts need not know each other.

import type { Database } from '../records/database.ts';
import type { Layout } from '../layout.ts';
import type { HeldLock, Lock, Trees } from '../store.ts';
import type { Copies } from './forget-copies.ts';

/** What upkeep works on. */
export interface MaintenanceContext {
  readonly layout: Layout;
  readonly database: Database;
  /** The database that is not flushed. */
  readonly volatile: () => Database;
  readonly trees: Trees;
  readonly copies: Copies;
  readonly lock: (key: string, signal?: AbortSignal) => Promise<Lock>;
  /** The same without waiting. */
  readonly tryLock: (key: string) => Promise<Lock | HeldLock>;
  /** True when somebody holds a lock. */
  readonly isLocked: (key: string) => Promise<boolean>;
  /** Removes what processes that have ended left in flight. */
  readonly sweep: () => Promise<void>;
  /** Bytes that came into `blobs/` since this store was opened. */
  readonly addedBytes: () => number;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}
