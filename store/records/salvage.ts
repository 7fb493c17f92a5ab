// Takes from a database file what can still be read, and writes it into a fresh database. LMDB never opens the damaged file.

import { readMetas, type Meta } from './database-header.ts';
import { walkDatabase, type FileRecord } from './database-pages.ts';
import { newestState, withFile, type Database } from './database.ts';
import { openRecord } from './record-form.ts';
import { isDurableTable } from './table-names.ts';

/** What came of it. */
export interface Salvage {
  readonly kept: number;
  /** What was found damaged, for people. */
  readonly damages: readonly string[];
}

/** A record's content as it is to be written, or undefined when it is not to be believed. */
export type ReadRecord = (table: string, key: Buffer, bytes: Buffer) => Uint8Array | undefined;

/** Copies every record of `file` that is whole into `target`. */
export async function salvage(
  file: string,
  target: Database,
  read: ReadRecord = openRecord,
): Promise<Salvage> {
  let found: Salvage = { kept: 0, damages: [] };
  await target.transaction(() => {
    found = withFile(file, (opened) => copyWhole(opened, target, read));
  });
  return found;
}

// A file holds its last two states. The one before the last is asked for those tables that the last one lost altogether: what
// has come since is built again. Whoever forgets something that must not come back sees to it that neither names it.
function copyWhole(file: number, target: Database, read: ReadRecord): Salvage {
  const metas = readMetas(file);
  const newest = newestState(metas);
  if (newest === undefined) return { kept: 0, damages: ['its first pages are damaged'] };
  const damages: string[] = [];
  let kept = 0;
  const copy = ({ table, key, value }: FileRecord): void => {
    if (!isDurableTable(table)) return; // none that anybody reads
    const bytes = value();
    const content = bytes && read(table, key, bytes);
    if (content === undefined) {
      damages.push(`a record of ${table} is damaged`);
      return;
    }
    void target.table(table).put(key.toString(), content);
    kept++;
  };
  const walked = walkDatabase(file, newest, copy);
  damages.push(...walked.damages);
  const older = metas.find((meta): meta is Meta => meta !== undefined && meta !== newest);
  if (damages.length > 0 && older !== undefined)
    walkDatabase(file, older, (record) => {
      if (!walked.tables.has(record.table)) copy(record);
    });
  return { kept, damages };
}
