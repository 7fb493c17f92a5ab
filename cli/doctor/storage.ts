// Where the store lies: room, hard links, letter case, and a way to make writes durable. Leaves nothing behind.

import { execFile } from 'node:child_process';
import { link, readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import { formatBytes } from '../render/units.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** The sources, the seed and one build of everything take about this much. */
const comfortableBytes = 15e9;
const leastBytes = 1e9;

export async function checkStorage(store: Store): Promise<Finding[]> {
  const folder = await store.scratch('doctor');
  return [
    ok('store', `${store.path} is ours to write`),
    await room(store.path),
    await hardLinks(folder),
    await letterCase(folder),
    await flush(store.path),
  ];
}

async function room(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  const message = `${formatBytes(freeBytes)} free`;
  const hint = 'Free some with `cairn store gc`, or put the store elsewhere with CAIRN_STORE.';
  if (freeBytes < leastBytes) return fail('room', message, hint);
  return freeBytes < comfortableBytes
    ? warn('room', `${message}; a whole system takes more`, hint)
    : ok('room', message);
}

async function hardLinks(folder: string): Promise<Finding> {
  try {
    await writeFile(join(folder, 'file'), '');
    await link(join(folder, 'file'), join(folder, 'link'));
    return ok('hard links', 'the file system has them');
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    return warn(
      'hard links',
      'the file system has none: every tree is a full copy',
      'Put the store on ext4, xfs or btrfs with CAIRN_STORE.',
    );
  }
}

async function letterCase(folder: string): Promise<Finding> {
  for (const name of ['case', 'CASE']) await writeFile(join(folder, name), name);
  const names = await readdir(folder);
  return names.includes('case') && names.includes('CASE')
    ? ok('letter case', 'names that differ in case are different files')
    : fail(
        'letter case',
        'the file system takes names that differ only in case for one file',
        'Put the store on a Linux file system with CAIRN_STORE.',
      );
}

async function flush(path: string): Promise<Finding> {
  try {
    await promisify(execFile)('sync', ['-f', path]);
    return ok('durability', 'whole batches are flushed at once (sync -f)');
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return warn(
      'durability',
      '`sync -f` does not work here: files are flushed one by one, which is slower',
      'Install coreutils.',
    );
  }
}
