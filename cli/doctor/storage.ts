// Where the store lies: room for bytes and for files, programs, hard links, access lists, letter case, and a way to make writes durable.
// Leaves nothing behind.

import { execFile } from 'node:child_process';
import { access, constants, link, readdir, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from '../../store/base/errors.ts';
import { defaultAccessList, hasDefaultAccessList } from '../../store/base/default-access-list.ts';
import { lacksHardLinks, noHardLinks } from '../../store/base/hard-links.ts';
import type { Store } from '../../store/index.ts';
import { formatBytes, formatCount } from '../render/units.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** The sources, the seed and one build of everything take about this much. */
const comfortableBytes = 15e9;
const leastBytes = 1e9;
/** The sources of a kernel alone are 90,000. */
const comfortableFiles = 500_000;
const leastFiles = 20_000;

export async function probeStorage(store: Store): Promise<Finding[]> {
  const folder = await store.scratch('doctor');
  return [
    await writing(store.path),
    await room(store.path),
    await roomForFiles(store.path),
    await programs(folder),
    await hardLinks(folder),
    accessList(folder),
    await letterCase(folder),
    await flush(store.path),
  ];
}

// A store that was made before its folder was the group's is shared in part only.
async function writing(path: string): Promise<Finding> {
  const names = await readdir(path, { withFileTypes: true });
  const folders = names.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  for (const folder of [path, ...folders, join(path, 'blobs', '00')]) {
    if (await canWrite(folder)) continue;
    return fail(
      'store',
      `${folder} is not ours to write`,
      `Let its owner run \`find ${path} -maxdepth 2 -type d -exec chmod g+rwxs {} +; chmod -R g+rw ${path}/db\`, or name another store with CAIRN_STORE.`,
    );
  }
  const { uid } = await stat(path);
  return ok('store', `${path} is ${uid === process.getuid?.() ? 'ours' : "our group's"} to write`);
}

async function canWrite(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error;
    return false;
  }
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

async function roomForFiles(path: string): Promise<Finding> {
  const { files, ffree } = await statfs(path);
  // btrfs and the like make inodes as they are needed, and count none.
  if (files === 0) return ok('files', 'the file system holds as many as there is room for');
  const message = `room for ${formatCount(ffree, 'file')} more`;
  const hint =
    'Free some with `cairn store gc`, or put the store on a file system with more inodes with CAIRN_STORE.';
  if (ffree < leastFiles) return fail('files', message, hint);
  return ffree < comfortableFiles
    ? warn('files', `${message}; a whole system takes more`, hint)
    : ok('files', message);
}

// The sandbox's own program, and the toolchain, are started from the store.
async function programs(folder: string): Promise<Finding> {
  const path = join(folder, 'program');
  await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
  try {
    await promisify(execFile)(path);
  } catch (error) {
    if (isErrno(error, 'EACCES'))
      return fail(
        'programs',
        'the file system lets nobody start the programs on it (it is mounted noexec)',
        'Put the store elsewhere with CAIRN_STORE, or mount that file system with exec.',
      );
    // A machine without that shell says nothing about its file systems.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  return ok('programs', 'can be started from there');
}

async function hardLinks(folder: string): Promise<Finding> {
  try {
    await writeFile(join(folder, 'file'), '');
    await link(join(folder, 'file'), join(folder, 'link'));
    return ok('hard links', 'the file system has them');
  } catch (error) {
    if (!lacksHardLinks(error)) throw error;
    const { message, hint } = noHardLinks(error);
    return fail('hard links', message, hint);
  }
}

function accessList(folder: string): Finding {
  if (!hasDefaultAccessList(folder)) return ok('access list', 'modes are what programs ask for');
  const { message, hint } = defaultAccessList();
  return fail('access list', message, hint);
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
