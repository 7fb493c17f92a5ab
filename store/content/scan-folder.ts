// Lists what is in a folder that a build left: files, symlinks and directories, without reading any file.

import { chmodSync, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { UserError, isErrno } from '../base/errors.ts';
import type { SymlinkNode } from '../trees/tree.ts';

export interface ScannedFile {
  readonly kind: 'file';
  readonly path: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
  /** The inode's number when the file has further hard links, else undefined. */
  readonly sharedInode: number | undefined;
}

export interface ScannedDirectory {
  readonly kind: 'directory';
  readonly entries: ReadonlyMap<string, ScannedFile | ScannedDirectory | SymlinkNode>;
}

export interface Scan {
  readonly top: ScannedDirectory;
  readonly files: readonly ScannedFile[];
  readonly sizeBytes: number;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/**
 * What a folder holds. Directories that cannot be read or changed are made so: the folder is being taken over.
 * @throws UserError `OUTPUT_INVALID` for what a tree cannot hold.
 */
export async function scanFolder(folder: string): Promise<Scan> {
  const files: ScannedFile[] = [];
  let sizeBytes = 0;
  let seen = 0;

  const scanDirectory = async (path: string): Promise<ScannedDirectory> => {
    const entries = new Map<string, ScannedFile | ScannedDirectory | SymlinkNode>();
    for (const name of listNames(path)) {
      if (++seen % entriesATurn === 0) await setImmediate();
      const child = `${path}/${name}`;
      const stats = lstatSync(child);
      if (stats.isDirectory()) {
        makeUsable(child, stats);
        entries.set(name, await scanDirectory(child));
      } else if (stats.isFile()) {
        const file = scannedFile(child, stats);
        sizeBytes += stats.size;
        files.push(file);
        entries.set(name, file);
      } else if (stats.isSymbolicLink()) {
        entries.set(name, { kind: 'symlink', target: linkTarget(child) });
      } else {
        throw invalidEntry(child, kindOf(stats));
      }
    }
    return { kind: 'directory', entries };
  };

  try {
    makeUsable(folder, lstatSync(folder));
    return { top: await scanDirectory(folder), files, sizeBytes };
  } catch (error) {
    if (isErrno(error, 'ENAMETOOLONG')) throw pathTooLong(folder, error);
    throw error;
  }
}

function makeUsable(folder: string, { mode }: Stats): void {
  if ((mode & 0o700) !== 0o700) chmodSync(folder, 0o700);
}

function scannedFile(path: string, stats: Stats): ScannedFile {
  return {
    kind: 'file',
    path,
    executable: (stats.mode & 0o100) !== 0,
    sizeBytes: stats.size,
    sharedInode: stats.nlink > 1 ? stats.ino : undefined,
  };
}

/** The names in a folder. @throws UserError `OUTPUT_INVALID` for one that is not UTF-8. */
export function listNames(folder: string): string[] {
  const names = readdirSync(folder);
  // Invalid bytes come out as U+FFFD, which a valid name may hold as well: only then look at the bytes.
  if (names.some((name) => name.includes('\ufffd'))) checkNames(folder);
  return names;
}

function checkNames(folder: string): void {
  for (const bytes of readdirSync(folder, { encoding: 'buffer' })) {
    if (Buffer.compare(Buffer.from(bytes.toString()), bytes) === 0) continue;
    throw new UserError('OUTPUT_INVALID', `"${bytes.toString('latin1')}" in ${folder} is not a UTF-8 name`, {
      hint: 'Names in a tree are UTF-8; rename it or leave it out.',
    });
  }
}

/** A symlink's target. @throws UserError `OUTPUT_INVALID` when it is not UTF-8. */
export function linkTarget(path: string): string {
  const target = readlinkSync(path);
  if (!target.includes('\ufffd')) return target;
  const bytes = readlinkSync(path, { encoding: 'buffer' });
  if (Buffer.compare(Buffer.from(target), bytes) === 0) return target;
  throw new UserError('OUTPUT_INVALID', `the target of the symlink ${path} is not UTF-8`, {
    hint: 'Names in a tree are UTF-8; make the link anew or leave it out.',
  });
}

/** The error for something that a tree cannot hold. */
export function invalidEntry(path: string, kind: string): UserError {
  return new UserError(
    'OUTPUT_INVALID',
    `${path} is a ${kind}; a tree holds files, directories and symlinks`,
    {
      hint: 'Leave it out: a folder of yours with a .cairnignore file, a step by removing it at its end.',
    },
  );
}

export function pathTooLong(folder: string, cause: Error): UserError {
  return new UserError(
    'OUTPUT_INVALID',
    `${folder} is nested too deeply: a path in it is longer than 4096 bytes`,
    {
      hint: 'Shorten the names or the nesting.',
      cause,
    },
  );
}

export function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'named pipe (fifo)';
  if (stats.isSocket()) return 'socket';
  if (stats.isBlockDevice()) return 'block device';
  return 'character device';
}
