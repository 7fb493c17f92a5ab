// What is written down about a kept folder: what its content depends on. Written aside, flushed and renamed; before a step has
// the folders it says so, so that whatever ends it in the middle is seen by the next. Knows no engine and no step.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeCbor, encodeCbor, type CborValue } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import type { Node } from '../trees/tree.ts';

/** Raised whenever what is kept, or how it is brought up to date, changes: what another version left is not used. */
export const keptFormat = 'cairn-kept-1';

export const recordName = 'record';

export interface KeptRecord {
  /** Names the steps that the folders are for, in the lineages' table. */
  readonly lineage: string;
  /** Of everything that the folders' content depends on, but the content of the sources. */
  readonly key: Digest;
  /** Out: a step has the folders, or the sources are being brought up to date; found so later, all of it is as good as lost. */
  readonly state: 'in' | 'out';
  /** What each source was brought up to, by its path in the step. */
  readonly sources: Readonly<Record<string, Node>>;
  /** What changed since the last success, as absolute paths in the step; undefined: it must all be taken as changed. */
  readonly changed?: readonly string[] | undefined;
  /** The youngest time of anything kept, in milliseconds since 1970. */
  readonly newestMs: number;
  /** Since which start of the machine nothing was flushed: after another start, the files may be less than was written. */
  readonly unflushedIn?: string | undefined;
  /** Another each time it is written. */
  readonly version: string;
}

/** The record in an entry; undefined when there is none, or none that this version wrote. */
export function readKeptRecord(entry: string): KeptRecord | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(`${entry}/${recordName}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
  try {
    const { format, ...record } = decodeCbor(bytes) as { format?: string };
    return format === keptFormat ? (record as unknown as KeptRecord) : undefined;
  } catch {
    return undefined; // not CBOR: nobody knows what is there
  }
}

/** On the disk when this returns: a machine that loses its power must not find older words about younger files. */
export function writeKeptRecord(entry: string, record: KeptRecord): void {
  const part = `${entry}/${recordName}.part`;
  const file = openSync(part, 'w');
  try {
    const bytes = encodeCbor({ format: keptFormat, ...record } as unknown as CborValue);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, `${entry}/${recordName}`);
  const folder = openSync(dirname(part), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
