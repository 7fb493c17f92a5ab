// Puts a fresh database in the place of another, with the records of that one that are whole. It is there with one rename;
// whoever has the other one open goes on with that, so nobody may. Knows nothing of who else uses the store.

import { linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Database } from './database.ts';
import { dataFile } from './open-lmdb.ts';
import { salvage, type ReadRecord, type Salvage } from './salvage.ts';

export interface Replacement {
  /** The folder of the database. Those in it, of things that need not outlive a restart, go. */
  readonly folder: string;
  /** A folder on the same file system, not there yet, to make the fresh one in. */
  readonly workFolder: string;
  /** Where the old file goes, if anywhere. */
  readonly keepAs?: string;
  readonly read?: ReadRecord;
}

export async function replaceDatabase(replacement: Replacement): Promise<Salvage> {
  const { folder, workFolder, keepAs, read } = replacement;
  const old = join(folder, dataFile);
  mkdirSync(workFolder);
  const fresh = Database.open(workFolder, { durable: true });
  let salvaged: Salvage;
  try {
    salvaged = await salvage(old, fresh, read);
  } finally {
    await fresh.close();
  }
  if (keepAs !== undefined) {
    mkdirSync(dirname(keepAs), { recursive: true });
    linkSync(old, keepAs);
  }
  renameSync(join(workFolder, dataFile), old);
  // What is left beside it speaks of the old one.
  for (const name of readdirSync(folder))
    if (name !== dataFile) rmSync(join(folder, name), { recursive: true, force: true });
  return salvaged;
}
