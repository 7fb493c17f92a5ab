// How much room the store takes, by what it is used for. Hard links count once, as `du` counts them.

import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import type { Usage } from '../store.ts';

const parts = [
  'blobs',
  'trees',
  'results',
  'db',
  'logs',
  'failed',
  'corrupt',
  'downloads',
  'imports',
  'work',
  'compile-caches',
  'served',
  'tmp',
];

export async function measureUsage({ layout }: MaintenanceContext): Promise<Omit<Usage, 'kept' | 'left'>> {
  const seen = new Set<number>();
  const usage: { name: string; files: number; sizeBytes: number }[] = [];
  for (const name of parts) usage.push({ name, ...(await measureFolder(join(layout.root, name), seen)) });
  return { parts: usage, sizeBytes: usage.reduce((sum, part) => sum + part.sizeBytes, 0) };
}

/** Files in a folder, and the room they take. Files that are in `seen`, by inode, do not count. */
export async function measureFolder(
  root: string,
  seen = new Set<number>(),
): Promise<{ files: number; sizeBytes: number }> {
  let [files, sizeBytes] = [0, 0];
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      const stats = await statsOf(path);
      if (stats === undefined || seen.has(stats.ino)) continue;
      seen.add(stats.ino);
      sizeBytes += stats.blocks * 512;
      if (!entry.isDirectory()) files++;
    }
  }
  return { files, sizeBytes };
}

// The store may be in use: what is gone by now takes no room.
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
