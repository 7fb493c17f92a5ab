// What the store's upkeep works on. A type only, so that its parts need not know each other.

import type { Database } from '../records/database.ts';
import type { Layout } from '../layout.ts';

/** What upkeep works on. */
export interface MaintenanceContext {
  readonly layout: Layout;
  readonly database: Database;
  /** This process's session, which does not count as somebody using the store. */
  readonly sessionId: string;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}
