// What the store's upkeep works on. A type only, so that its parts need not know each other.

import type { Database } from '../records/database.ts';
import type { Layout } from '../layout.ts';
import type { Lock } from '../store.ts';

/** What upkeep works on. */
export interface MaintenanceContext {
  readonly layout: Layout;
  readonly database: Database;
  /** The database that is not flushed. */
  readonly volatile: () => Database;
  readonly lock: (key: string, signal?: AbortSignal) => Promise<Lock>;
  /** True when somebody holds a lock. */
  readonly isLocked: (key: string) => Promise<boolean>;
  /** Bytes that came into `blobs/` since this store was opened. */
  readonly addedBytes: () => number;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}
