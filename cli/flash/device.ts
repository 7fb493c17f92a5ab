// What a device is and what is on it, from the kernel's own tables (/sys, /proc) and udev's. Reads only.

import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';

export interface Device {
  readonly path: string;
  readonly sizeBytes: number;
  /** What it calls itself, such as `SanDisk Ultra`. */
  readonly model: string;
  readonly parts: readonly DevicePart[];
  /** Why it is not one that a person usually means; each as what it is: `is mounted at /home`. */
  readonly doubts: readonly string[];
  /** A file is given only for trying things out, and cannot be claimed. */
  readonly isFile: boolean;
}

export interface DevicePart {
  readonly name: string;
  readonly sizeBytes: number;
  /** File system and label, as far as udev knows. */
  readonly content: string;
}

/**
 * The device at a path. Nothing is opened.
 * @throws UserError `DEVICE_UNSUITABLE` when there is none, or nothing could ever be written to it.
 */
export async function lookAtDevice(named: string): Promise<Device> {
  const path = await realPathOf(named);
  const stats = await stat(path);
  if (stats.isFile()) return fileDevice(path, stats.size);
  if (!stats.isBlockDevice()) {
    throw unsuitable(
      `${named} is not a device`,
      'Name a whole disk or card, such as /dev/sdb; lsblk lists them.',
    );
  }
  const folder = await realpath(`/sys/dev/block/${numberOf(stats.rdev)}`);
  const read = (file: string): Promise<string | undefined> => readLine(join(folder, file));
  if ((await read('ro')) === '1') {
    throw unsuitable(`${named} is read-only`, 'Look for the switch at the side of the card or its adapter.');
  }
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(folder))).sort();
  const folders = [folder, ...names.map((name) => join(folder, name))];
  const parts = await Promise.all(names.map((name) => describePart(join(folder, name))));
  const uses = await Promise.all(folders.map(usesOf));
  return {
    path,
    parts,
    sizeBytes: await sizeOf(folder),
    model: (await modelOf(folder)) ?? 'no name',
    doubts: [...uses.flat(), ...(await kindDoubts(folder))],
    isFile: false,
  };
}

function fileDevice(path: string, sizeBytes: number): Device {
  return {
    path,
    sizeBytes,
    model: 'a file',
    parts: [],
    doubts: ['is a file and not a device'],
    isFile: true,
  };
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(resolve(path));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error;
    throw unsuitable(`there is no device ${path}`, 'lsblk lists those that are there.');
  }
}

async function kindDoubts(folder: string): Promise<string[]> {
  if ((await readLine(join(folder, 'partition'))) !== undefined) {
    return [`is a partition of ${basename(dirname(folder))} and not a whole device`];
  }
  // A card reader on the board says that it cannot be removed, but the card in it can.
  const isRemovable =
    (await readLine(join(folder, 'removable'))) === '1' ||
    (await readLine(join(folder, 'device/type'))) === 'SD' ||
    /\/usb\d+\//.test(folder);
  return isRemovable ? [] : ['is not removable'];
}

async function usesOf(folder: string): Promise<string[]> {
  const name = basename(folder);
  const number = await readLine(join(folder, 'dev'));
  const [mounts, swaps, holders] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8'),
    readFile('/proc/swaps', 'utf8'),
    readdir(join(folder, 'holders')).catch(() => []),
  ]);
  // proc_pid_mountinfo(5): the third field is the device's number, the fifth where it is mounted.
  const places = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === number)
    .map((fields) => fields[4]!.replaceAll('\\040', ' '));
  return [
    ...places.map((place) => `is in use: ${name} is mounted at ${place}`),
    ...(swaps.split('\n').some((line) => line.split(/\s/)[0] === `/dev/${name}`)
      ? [`is in use: ${name} is swap space`]
      : []),
    ...holders.map((holder) => `is in use: ${name} belongs to ${holder}`),
  ];
}

async function describePart(folder: string): Promise<DevicePart> {
  const number = await readLine(join(folder, 'dev'));
  const known = await readText(`/run/udev/data/b${number ?? ''}`);
  const value = (name: string): string | undefined =>
    new RegExp(`^E:${name}=(.*)$`, 'm').exec(known ?? '')?.[1];
  const label = value('ID_FS_LABEL');
  const content = [value('ID_FS_TYPE'), label === undefined ? undefined : `"${label}"`];
  return {
    name: basename(folder),
    sizeBytes: await sizeOf(folder),
    content: content.filter((word) => word !== undefined).join(' '),
  };
}

async function modelOf(folder: string): Promise<string | undefined> {
  const names = ['device/vendor', 'device/model', 'device/name', 'loop/backing_file'];
  const words = await Promise.all(names.map((name) => readLine(join(folder, name))));
  const found = words.filter((word) => word !== undefined && word !== '').join(' ');
  return found === '' ? undefined : found;
}

/** The kernel counts in sectors of 512 bytes, whatever the device's own are. */
async function sizeOf(folder: string): Promise<number> {
  return Number((await readLine(join(folder, 'size'))) ?? 0) * 512;
}

async function readLine(path: string): Promise<string | undefined> {
  return (await readText(path))?.trim();
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EINVAL', 'ENXIO')) return undefined;
    throw error;
  }
}

/** As in /sys/dev/block: makedev(3). */
function numberOf(device: number): string {
  const bits = BigInt(device);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn);
  const minor = (bits & 0xffn) | ((bits >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

function unsuitable(message: string, hint: string): UserError {
  return new UserError('DEVICE_UNSUITABLE', message, { hint, fault: 'environment' });
}
