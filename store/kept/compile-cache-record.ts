// What is written down about a compile cache: whose it is, and how large it was when it was last used. Nothing rests on it: a
// cache without a record is thrown away.

import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { decodeCbor, encodeCbor } from '../base/cbor.ts';
import { isErrno } from '../base/errors.ts';
import { recordName } from './kept-record.ts';

/** Raised whenever another form of cache would be taken for this one. */
const compileCacheFormat = 'cairn-compile-cache-1';

export interface CompileCacheRecord {
  /** Names the steps that it is for, in the lineages' table. */
  readonly lineage: string;
  /** While somebody uses it, as much as it may become. */
  readonly sizeBytes: number;
}

/** The record in an entry; undefined when there is none, or none that this version wrote. `usedMs` is since 1970. */
export function readCompileCacheRecord(
  entry: string,
): (CompileCacheRecord & { readonly usedMs: number }) | undefined {
  const path = `${entry}/${recordName}`;
  try {
    const { format, lineage, sizeBytes } = decodeCbor(readFileSync(path)) as Record<string, unknown>;
    if (format !== compileCacheFormat || typeof lineage !== 'string' || typeof sizeBytes !== 'number')
      return undefined;
    return { lineage, sizeBytes, usedMs: lstatSync(path).mtimeMs };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && !isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES'))
      throw error;
    return undefined; // not there, or not CBOR: nobody knows what it is of
  }
}

export function writeCompileCacheRecord(entry: string, record: CompileCacheRecord): void {
  const part = `${entry}/${recordName}.part`;
  writeFileSync(part, encodeCbor({ format: compileCacheFormat, ...record }));
  renameSync(part, `${entry}/${recordName}`);
}
