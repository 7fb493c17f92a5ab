// Where snapshots of imported folders are kept: one file each. Losing one costs time only.

import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import type { Digest } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import { makeFolders, shareAlike } from '../base/make-folder.ts';
import { Snapshot } from './import-snapshot.ts';
import type { Layout } from '../layout.ts';

/** What tells one import from another: the folder, and the id of the rules that the caller adds. */
export interface ImportSource {
  readonly folder: string;
  readonly rules: string;
}

/** The snapshot of the last import, or undefined when there is none that can be read. */
export function readSnapshot(layout: Layout, source: ImportSource): Snapshot | undefined {
  return readFile(snapshotPath(layout, source));
}

function readFile(path: string): Snapshot | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.from(new SharedArrayBuffer(fstatSync(file).size));
    for (let at = 0, length: number; (length = readSync(file, bytes, at, bytes.length - at, at)) > 0;)
      at += length;
    return Snapshot.parse(bytes.buffer);
  } finally {
    closeSync(file);
  }
}

/** @param freshPath a path on the store's file system where nothing is yet */
export function writeSnapshot(
  layout: Layout,
  source: ImportSource,
  bytes: Uint8Array,
  freshPath: string,
): void {
  makeFolders(layout.imports);
  writeFileSync(freshPath, bytes, { flag: 'wx' });
  renameSync(freshPath, snapshotPath(layout, source));
  shareAlike(snapshotPath(layout, source));
}

/** Deletes the snapshots of trees that are not in `kept`: nothing could be learnt from them. */
export function forgetSnapshots({ imports }: Layout, kept: ReadonlySet<Digest>): void {
  for (const name of namesIn(imports)) {
    const tree = readFile(`${imports}/${name}`)?.tree(0);
    if (tree === undefined || !kept.has(tree)) rmSync(`${imports}/${name}`, { force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function snapshotPath(layout: Layout, { folder, rules }: ImportSource): string {
  const name = createHash('sha256').update(`${rules}\0${folder}`).digest('hex').slice(0, 32);
  return `${layout.imports}/${name}`;
}
