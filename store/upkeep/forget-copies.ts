// What else goes when content turns out damaged or gone: folders of trees that link to the damaged file, and snapshots of
// imported folders, which vouch for content that they do not look at.

import { readdirSync } from 'node:fs';
import { UserError } from '../base/errors.ts';
import type { Digest } from '../base/digest.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import type { Database } from '../records/database.ts';
import { forgetSnapshots } from '../import/snapshot-files.ts';
import type { Layout } from '../layout.ts';
import { entryHash } from '../trees/tree-folders.ts';
import { addReachable, emptyContent } from '../records/reachable.ts';

export interface CopiesContext {
  readonly layout: Layout;
  readonly database: Database;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}

/** @param hashes of the blobs in question: the digests' SHA-256 parts */
export function forgetCopies(hashes: ReadonlySet<string>, context: CopiesContext): void {
  const { layout, freshPath } = context;
  forgetSnapshots(layout, new Set());
  for (const name of readdirSync(layout.trees)) {
    if (!holdsAny(entryHash(name), hashes, context.database)) continue;
    // Moved, not deleted: a step may be running on it.
    renameIfThere(`${layout.trees}/${name}`, freshPath('damaged'));
  }
}

// A tree whose directories are not all there, or are damaged, cannot be told: it goes as well.
function holdsAny(treeHash: string, hashes: ReadonlySet<string>, database: Database): boolean {
  const range = { start: `${treeHash}/`, end: `${treeHash}0`, limit: 1 };
  const [digest] = [...database.table('directories').getKeys(range)];
  if (digest === undefined) return true;
  const content = emptyContent();
  try {
    addReachable(content, [{ kind: 'tree', digest: digest as Digest }], database);
  } catch (error) {
    if (error instanceof UserError) return true;
    throw error;
  }
  return [...content.blobs].some((blob) => hashes.has(blob.slice(0, 64)));
}
