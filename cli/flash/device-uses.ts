// What this machine uses a disk and its partitions for: mounts, swap, and devices made of them. From /proc and /sys; reads only.
// What is mounted for others alone is not seen: opening the device tells that.

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import { deviceNumber } from './device-number.ts';

/** The uses of devices, each given by its folder in /sys. */
export async function usesOf(folders: readonly string[]): Promise<string[]> {
  const names = new Map<string, string>();
  for (const folder of folders) names.set(await textOf(join(folder, 'dev')), basename(folder));
  return [
    ...new Set([
      ...(await mountsOf(names)),
      ...(await swapsOf(names)),
      ...(await loopsOf(names)),
      ...(await holdersOf(folders)),
      ...(await btrfsOf([...names.values()])),
    ]),
  ];
}

/** Names of devices by their number, as in /sys: `8:16`. */
type Names = ReadonlyMap<string, string>;

// proc_pid_mountinfo(5): the third field is the device's number, the fifth where it is mounted; behind a lone "-" come type
// and source. The number of btrfs is nobody's, and its source is a path.
async function mountsOf(names: Names): Promise<string[]> {
  const uses = [];
  for (const line of (await textOf('/proc/self/mountinfo')).split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const fields = before.split(' ');
    const name =
      names.get(fields[2] ?? '') ?? names.get(await numberOfPath(unescape(after.split(' ')[1] ?? '')));
    if (name !== undefined) uses.push(`is in use: ${name} is mounted at ${unescape(fields[4] ?? '')}`);
  }
  return uses;
}

async function swapsOf(names: Names): Promise<string[]> {
  const paths = (await textOf('/proc/swaps')).split('\n').map((line) => unescape(line.split(/\s/)[0] ?? ''));
  const found = await Promise.all(paths.map(async (path) => names.get(await numberOfPath(path))));
  return found.flatMap((name) => (name === undefined ? [] : [`is in use: ${name} is swap space`]));
}

/** Loop devices that stand for one of them, which claim nothing. */
async function loopsOf(names: Names): Promise<string[]> {
  const uses = [];
  for (const loop of (await namesIn('/sys/block')).filter((name) => name.startsWith('loop'))) {
    const name = names.get(await numberOfPath(await textOf(`/sys/block/${loop}/loop/backing_file`)));
    if (name !== undefined) uses.push(`is in use: ${name} belongs to ${loop}`);
  }
  return uses;
}

/** RAID, LVM, encryption: what is made of it, by the name that people gave it. */
async function holdersOf(folders: readonly string[]): Promise<string[]> {
  const uses = [];
  for (const folder of folders) {
    for (const holder of await namesIn(join(folder, 'holders'))) {
      const called = await textOf(join(folder, 'holders', holder, 'dm/name'));
      uses.push(`is in use: ${basename(folder)} belongs to ${holder}${called === '' ? '' : ` (${called})`}`);
    }
  }
  return uses;
}

/** Of a mounted btrfs on several devices, mountinfo names one. */
async function btrfsOf(names: readonly string[]): Promise<string[]> {
  const uses = [];
  for (const id of await namesIn('/sys/fs/btrfs')) {
    const members = await namesIn(`/sys/fs/btrfs/${id}/devices`);
    uses.push(
      ...names
        .filter((name) => members.includes(name))
        .map((name) => `is in use: ${name} is part of a mounted btrfs`),
    );
  }
  return uses;
}

/** The number of the block device at a path; '' when there is none. */
async function numberOfPath(path: string): Promise<string> {
  if (!path.startsWith('/dev/')) return '';
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isBlockDevice() ? deviceNumber(stats.rdev) : '';
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return '';
    throw error;
  }
}

/** As proc_pid_mountinfo(5) writes odd characters. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(parseInt(code, 8)));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

/** '' for what is not there. */
async function textOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ENXIO')) return '';
    throw error;
  }
}
