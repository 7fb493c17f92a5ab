// What a device is and what is on it, from the kernel's own tables (/sys, /proc) and udev's. Reads only.

import type { BigIntStats } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { deviceNumber } from './device-number.ts';
import { usesOf } from './device-uses.ts';

export interface Device {
  /** As a person wrote it; `path` is what it stood for. */
  readonly named: string;
  readonly path: string;
  /** The same for the same device with the same medium, and for no other. */
  readonly identity: string;
  readonly sizeBytes: number;
  /** What it reads and writes at once; undefined for a file. */
  readonly sectorBytes: number | undefined;
  /** What it calls itself, such as `SanDisk Ultra`. */
  readonly model: string;
  readonly parts: readonly DevicePart[];
  /** Why it is not one that a person usually means; each as what it is: `is not removable`. */
  readonly doubts: readonly string[];
  /** What uses it, each as what it is: `is in use: sdb1 is mounted at /home`. */
  readonly uses: readonly string[];
  /** One of another device's partitions: what it holds is no partition table for the kernel. */
  readonly isPartition: boolean;
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
  const stats = await stat(path, { bigint: true });
  if (stats.isFile()) return fileDevice(named, path, stats);
  if (!stats.isBlockDevice()) {
    throw unsuitable(
      `${named} is not a device`,
      'Name a whole disk or card, such as /dev/sdb; lsblk lists them.',
    );
  }
  const folder = await folderOf(named, stats.rdev);
  const read = (file: string): Promise<string | undefined> => readLine(join(folder, file));
  if ((await read('ro')) === '1') {
    throw unsuitable(`${named} is read-only`, 'Look for the switch at the side of the card or its adapter.');
  }
  const sizeBytes = await sizeOf(folder);
  if (sizeBytes === 0) throw unsuitable(`${named} has no medium`, 'Put a card into it.');
  const names = (await readdir(folder)).filter((name) => name.startsWith(basename(folder))).sort();
  const folders = [folder, ...names.map((name) => join(folder, name))];
  const parts = await Promise.all(names.map((name) => describePart(join(folder, name))));
  const marks = await Promise.all(['diskseq', 'device/serial', 'device/cid', 'device/wwid'].map(read));
  return {
    named,
    path,
    identity: [stats.rdev, sizeBytes, ...marks].join(' '),
    sizeBytes,
    sectorBytes: Number(
      (await read('queue/logical_block_size')) ?? (await read('../queue/logical_block_size')),
    ),
    parts,
    model: (await modelOf(folder)) ?? 'no name',
    doubts: await kindDoubts(folder),
    uses: await usesOf(folders),
    isPartition: (await read('partition')) !== undefined,
    isFile: false,
  };
}

function fileDevice(named: string, path: string, { ino, dev, size }: BigIntStats): Device {
  return {
    named,
    path,
    identity: [ino, dev, size].join(' '),
    sizeBytes: Number(size),
    sectorBytes: undefined,
    uses: [],
    model: 'a file',
    parts: [],
    doubts: ['is a file and not a device'],
    isPartition: false,
    isFile: true,
  };
}

async function folderOf(named: string, device: bigint): Promise<string> {
  try {
    return await realpath(`/sys/dev/block/${deviceNumber(device)}`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw unsuitable(
      `${named} is a device that the kernel does not have`,
      'lsblk lists those that are there.',
    );
  }
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(resolve(path));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG')) throw error;
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

function unsuitable(message: string, hint: string): UserError {
  return new UserError('DEVICE_UNSUITABLE', message, { hint, fault: 'environment' });
}
