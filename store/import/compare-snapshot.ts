// Compares a snapshot with what is on disk now: one look at each directory and entry, shared out among threads by a
// counter in shared memory.

import { lstatSync } from 'node:fs';
import { isErrno } from '../base/errors.ts';
import { repositoryId, repositoryStamp } from './git/repository.ts';
import type { Snapshot } from './import-snapshot.ts';

/** What the threads of one comparison share. */
export interface Comparison {
  /** The folder that was imported. */
  readonly top: string;
  readonly snapshot: ArrayBufferLike;
  /** The next directory that nobody has taken yet. */
  readonly next: Int32Array;
  /** By directory: 1 when it and its entries are the same, beside the directories in it. */
  readonly same: Uint8Array;
}

export function startComparison(top: string, snapshot: Snapshot): Comparison {
  return {
    top,
    snapshot: snapshot.memory,
    next: new Int32Array(new SharedArrayBuffer(4)),
    same: new Uint8Array(new SharedArrayBuffer(snapshot.directories)),
  };
}

/** How many directories a thread takes at a time. */
const directoriesATurn = 16;

/** Compares some directories that nobody has taken. False when there are none left. */
export function compareSome(comparison: Comparison, snapshot: Snapshot): boolean {
  const first = Atomics.add(comparison.next, 0, directoriesATurn);
  const last = Math.min(first + directoriesATurn, snapshot.directories);
  for (let directory = first; directory < last; directory++) {
    if (isSameDirectory(comparison.top, snapshot, directory)) comparison.same[directory] = 1;
  }
  return last < snapshot.directories;
}

/** True when a directory and its entries are the same, beside the directories in it. */
export function isSameDirectory(top: string, snapshot: Snapshot, directory: number): boolean {
  const { path, names } = snapshot.names(directory);
  const folder = path === '' ? top : `${top}/${path}`;
  try {
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || !snapshot.isSameDirectory(directory, stats)) return false;
    const first = snapshot.firstEntry(directory);
    return names.every((name, at) => isSameEntry(folder, name, snapshot, first + at));
  } catch (error) {
    // The walk will meet it again and say what is wrong.
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOTDIR', 'ELOOP', 'EIO', 'ESTALE')) return false;
    throw error;
  }
}

/** True when the repositories in a directory, of those that were seen there, still say the same of what is ignored. */
export function isSameRepository(top: string, snapshot: Snapshot, directory: number): boolean {
  const { path, names } = snapshot.names(directory);
  const folder = path === '' ? top : `${top}/${path}`;
  const first = snapshot.firstEntry(directory);
  return names.every(
    (_, at) =>
      snapshot.kind(first + at) !== 'repository' || isSameRepositoryEntry(folder, snapshot, first + at),
  );
}

// A stamp that could not be trusted is taken anew by the walk.
function isSameRepositoryEntry(folder: string, snapshot: Snapshot, entry: number): boolean {
  const { fingerprint, index } = repositoryStamp(folder) ?? {};
  if (index === undefined) return snapshot.repositoryId(entry) === repositoryId(folder);
  if (!snapshot.hasStats(entry)) return false;
  if (snapshot.isSameEntry(entry, index) && snapshot.fingerprint(entry) === fingerprint) return true;
  return snapshot.repositoryId(entry) === repositoryId(folder);
}

function isSameEntry(folder: string, name: string, snapshot: Snapshot, entry: number): boolean {
  const kind = snapshot.kind(entry);
  if (kind === 'directory') return true;
  if (kind === 'repository') return isSameRepositoryEntry(folder, snapshot, entry);
  if (snapshot.isYoung(entry)) return false;
  const stats = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
  return stats !== undefined && snapshot.isSameEntry(entry, stats);
}
