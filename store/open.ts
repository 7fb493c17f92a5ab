// Opens a store: makes whatever is missing of its folders, refuses a format it does not know, and puts the parts together.

import { existsSync, readFileSync, readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { UserError, isErrno } from './base/errors.ts';
import { existingParent } from './base/existing-parent.ts';
import { makeFolders, shareAlike } from './base/make-folder.ts';
import { explainWriteError } from './content/disk-errors.ts';
import { refuseRootAsGuest } from './processes/guest.ts';
import { networkFileSystem } from './processes/network-file-system.ts';
import { formersOfStoreFormat, layoutOf, shards, storeFormat, type Layout } from './layout.ts';
import { LocalStore } from './local-store.ts';
import type { DatabaseRepair, Store } from './store.ts';

/**
 * Opens the store in a folder, by default `CAIRN_STORE`, else `$XDG_DATA_HOME/cairn`, else `~/.local/share/cairn`.
 * It is made when it is not there. Several processes may have it open.
 * @throws UserError `STORE_VERSION`, `STORE_UNUSABLE`, `STORE_CORRUPT`, `DISK_FULL`.
 */
export async function openStore(path: string = defaultStorePath()): Promise<Store> {
  return new LocalStore(await prepare(path));
}

/**
 * Mends the database of the store in a folder, when it is damaged so that the store cannot be opened, or not be relied on.
 * Undefined when it is not. @throws UserError as {@link openStore}
 */
export async function mendStore(path: string = defaultStorePath()): Promise<DatabaseRepair | undefined> {
  const layout = await prepare(path);
  const { mendDatabase } = await import('./upkeep/mend-database.ts');
  return mendDatabase(layout);
}

async function prepare(path: string): Promise<Layout> {
  const layout = layoutOf(resolve(path));
  try {
    refuseNetwork(layout.root);
    const found = readFormat(layout);
    const former = formersOfStoreFormat.find((format) => format === found);
    if (found !== undefined && found !== storeFormat && former === undefined) throw otherForm(layout, found);
    if (found !== undefined) refuseRootAsGuest(layout.root);
    if (found === undefined) create(layout);
    else makeParts(layout);
    if (former !== undefined) {
      const { upgradeStore } = await import('./upkeep/upgrade.ts');
      await upgradeStore(layout, former);
      writeFormat(layout);
    }
    return layout;
  } catch (error) {
    if (isErrno(error, 'ENAMETOOLONG', 'ELOOP', 'EINVAL')) throw noPath(layout.root, error);
    throw explainWriteError(error, layout.root);
  }
}

// Two machines would each take the other's processes for dead, and LMDB's locks do not reach that far.
function refuseNetwork(root: string): void {
  const name = networkFileSystem(existingParent(root));
  if (name === undefined) return;
  throw new UserError('STORE_UNUSABLE', `the store in ${root} would lie on a network file system (${name})`, {
    hint: 'Name a folder on a disk of this machine with CAIRN_STORE.',
    fault: 'environment',
  });
}

function defaultStorePath(): string {
  const named = process.env['CAIRN_STORE'];
  if (named !== undefined && named !== '') return named;
  const data = process.env['XDG_DATA_HOME'];
  // The XDG base directory specification says to ignore a relative path.
  const isUsable = data !== undefined && isAbsolute(data);
  return join(isUsable ? data : join(homedir(), '.local', 'share'), 'cairn');
}

function otherForm(layout: Layout, found: string): UserError {
  return new UserError('STORE_VERSION', `${layout.root} is a store of another form: ${found.slice(0, 40)}`, {
    hint: `This cairn reads ${storeFormat}. Name another store with CAIRN_STORE, or use the cairn that made this one.`,
    fault: 'environment',
  });
}

function readFormat(layout: Layout): string | undefined {
  try {
    return readFileSync(layout.format, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (isErrno(error, 'ENOTDIR')) throw notAFolder(layout.root, error);
    throw error;
  }
}

// The format is written last: a half-made store is made again. Another process may be doing the same.
function create(layout: Layout): void {
  try {
    makeFolders(layout.root);
  } catch (error) {
    if (isErrno(error, 'EEXIST', 'ENOTDIR')) throw notAFolder(layout.root, error);
    if (isErrno(error, 'ENOENT')) throw noFolderThere(layout.root, error);
    throw error;
  }
  refuseForeignFolder(layout);
  makeParts(layout);
  writeFormat(layout);
}

// Somebody may have removed some of them: what they held is made again like anything else that is lost.
function makeParts(layout: Layout): void {
  for (const folder of [
    layout.blobs,
    layout.trees,
    layout.results,
    layout.logs,
    layout.temporary,
    layout.work,
    layout.compileCaches,
    layout.failed,
    layout.downloads,
    layout.database,
  ])
    if (!existsSync(folder)) makeFolders(folder);
  const there = new Set(readdirSync(layout.blobs));
  for (const shard of shards) if (!there.has(shard)) makeFolders(join(layout.blobs, shard));
}

function writeFormat(layout: Layout): void {
  const part = `${layout.format}.${randomBytes(6).toString('hex')}`;
  writeFileSync(part, `${storeFormat}\n`);
  shareAlike(part);
  renameSync(part, layout.format);
}

// A mistyped path must not fill somebody's home folder.
function refuseForeignFolder(layout: Layout): void {
  const ours = new Set<string>(Object.values(layout));
  const foreign = readdirSync(layout.root).find(
    (name) => !ours.has(join(layout.root, name)) && !name.startsWith('format.'),
  );
  if (foreign === undefined) return;
  throw new UserError('STORE_UNUSABLE', `${layout.root} is not a store: it holds "${foreign}"`, {
    hint: 'Name an empty or new folder with CAIRN_STORE.',
    fault: 'environment',
  });
}

function noFolderThere(path: string, cause: Error): UserError {
  const link = danglingLink(path);
  if (link !== undefined)
    return new UserError('STORE_UNUSABLE', `${path} is a symbolic link to ${link}, which is not there`, {
      hint: 'Make that folder, or name another one with CAIRN_STORE.',
      fault: 'environment',
      cause,
    });
  return new UserError('STORE_UNUSABLE', `no folder can be made at ${path}`, {
    hint: 'Some file systems, such as /proc, hold no files of anybody. Name another folder with CAIRN_STORE.',
    fault: 'environment',
    cause,
  });
}

function danglingLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

// A path that nothing can be at, whoever asks.
function noPath(path: string, cause: NodeJS.ErrnoException): UserError {
  const reason =
    cause.code === 'ENAMETOOLONG'
      ? 'it is too long: a part has at most 255 bytes, the whole path, with what a store puts below it, 4095'
      : cause.code === 'ELOOP'
        ? 'its symbolic links lead in a circle'
        : 'its file system does not take that name';
  return new UserError('STORE_UNUSABLE', `no store can be at ${path}: ${reason}`, {
    hint: 'Name another folder with CAIRN_STORE.',
    fault: 'environment',
    cause,
  });
}

function notAFolder(root: string, cause: Error): UserError {
  return new UserError('STORE_UNUSABLE', `${root} is not a folder`, {
    hint: 'Name another store with CAIRN_STORE.',
    fault: 'environment',
    cause,
  });
}
