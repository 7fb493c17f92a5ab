// A repository of git in a folder, as far as it decides what of its work tree is ignored. Reads files as git does and
// never runs it: it need not be there.

import { createHash } from 'node:crypto';
import { statSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError, isErrno } from '../../base/errors.ts';
import { readNamedFile } from '../../base/named-file.ts';
import { expandPath, isTrue, personalGitFolder, readConfig, type Config, type GitFolders } from './config.ts';
import { UnreadableIndex, nothingTracked, parseIndex, type TrackedPaths } from './index-file.ts';

export interface Repository {
  /** The top of its work tree. */
  readonly folder: string;
  /** Equal when the same is ignored by it: all that is told here goes into it. */
  readonly id: string;
  readonly ignoreCase: boolean;
  /** The bytes of ignore files that lie outside the work tree, the one that outranks the other first. */
  readonly ignoreTexts: readonly string[];
  readonly tracked: TrackedPaths;
}

/** Stands for the id where there is none. */
export const noRepository = '0'.repeat(64);

/**
 * The repository whose work tree's top is this folder, or undefined.
 * @param scope a directory in it that is all that matters, '' for the whole
 * @throws UserError `SOURCE_UNREADABLE` when it cannot be told what is ignored.
 */
export function readRepository(folder: string, scope = ''): Repository | undefined {
  const folders = gitFolders(folder);
  if (folders === undefined) return undefined;
  const config = readConfig(folders);
  const ignoreCase = isTrue(config, 'core.ignorecase');
  const ignoreTexts = ignoreTextsOf(folder, folders, config);
  const tracked = readIndex(folder, folders, config);
  const id = createHash('sha256')
    .update(JSON.stringify([ignoreCase, ignoreTexts, tracked.idBelow(scope)]))
    .digest('hex');
  return { folder, id, ignoreCase, ignoreTexts, tracked };
}

export function repositoryId(folder: string): string {
  return readRepository(folder)?.id ?? noRepository;
}

/**
 * What tells cheaply that the id is the same: a fingerprint of all that goes into it but the index, and what the index file
 * looks like, which for a kernel has ten megabytes. Undefined where there is no repository.
 */
export interface RepositoryStamp {
  readonly fingerprint: bigint;
  /** Undefined when there is no index. */
  readonly index: Stats | undefined;
}

export function repositoryStamp(folder: string): RepositoryStamp | undefined {
  const folders = gitFolders(folder);
  if (folders === undefined) return undefined;
  const config = readConfig(folders);
  const rest = [
    isTrue(config, 'core.ignorecase'),
    ...ignoreTextsOf(folder, folders, config),
    formatOf(config),
  ];
  const fingerprint = createHash('sha256').update(JSON.stringify(rest)).digest().readBigUInt64LE();
  return { fingerprint, index: statSync(indexPath(folders), { throwIfNoEntry: false }) };
}

/** The files of a repository that decide what of its work tree is ignored, whether they are there or not. */
export function decidingGitFiles(folder: string): readonly string[] {
  const folders = gitFolders(folder);
  if (folders === undefined) return [];
  return [indexPath(folders), join(folders.common, 'info/exclude'), join(folders.common, 'config')];
}

export function isRepository(folder: string): boolean {
  return gitFolders(folder) !== undefined;
}

// `.git` is the repository itself, or a file that says where it is (a further work tree, a submodule).
function gitFolders(folder: string): GitFolders | undefined {
  const path = join(folder, '.git');
  const own = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? namedBy(path, folder) : path;
  if (own === undefined) return undefined;
  const common = readText(join(own, 'commondir'))?.trim();
  const folders = { own, common: common === undefined ? own : resolve(own, common) };
  const parts = [join(own, 'HEAD'), join(folders.common, 'objects'), join(folders.common, 'refs')];
  return parts.every((part) => statSync(part, { throwIfNoEntry: false }) !== undefined) ? folders : undefined;
}

function namedBy(file: string, folder: string): string | undefined {
  const named = /^gitdir: (.+?)[\r\n]*$/s.exec(readText(file) ?? '')?.[1];
  return named === undefined ? undefined : resolve(folder, named);
}

function personalIgnores(config: Config, folder: string): string {
  const named = config.get('core.excludesfile');
  const own = personalGitFolder();
  const path = named === undefined ? own && join(own, 'ignore') : named && expandPath(named, folder);
  // Another person's, when a program changed user and kept HOME: git goes on without it.
  return path === undefined || path === '' ? '' : readBytes(path, 'EACCES');
}

function ignoreTextsOf(folder: string, { common }: GitFolders, config: Config): readonly string[] {
  return [readBytes(join(common, 'info/exclude')), personalIgnores(config, folder)];
}

function indexPath({ own }: GitFolders): string {
  return join(own, 'index');
}

function formatOf(config: Config): string {
  return config.get('extensions.objectformat') ?? '';
}

function readIndex(folder: string, folders: GitFolders, config: Config): TrackedPaths {
  const path = indexPath(folders);
  const bytes = readFileIfThere(path);
  if (bytes === undefined) return nothingTracked;
  try {
    return parseIndex(bytes, formatOf(config) === 'sha256' ? 32 : 20);
  } catch (error) {
    if (!(error instanceof UnreadableIndex)) throw error;
    throw new UserError(
      'SOURCE_UNREADABLE',
      `${path} ${error.message}: it cannot be told which files of ${folder} git tracks`,
      {
        hint: 'Write it anew: git update-index --no-split-index --index-version 2 --force-write-index',
        fault: 'environment',
        cause: error,
      },
    );
  }
}

function readBytes(path: string, ...passedOver: string[]): string {
  return readFileIfThere(path, ...passedOver)?.toString('latin1') ?? '';
}

function readText(path: string): string | undefined {
  return readFileIfThere(path)?.toString('utf8');
}

function readFileIfThere(path: string, ...passedOver: string[]): Buffer | undefined {
  try {
    return readNamedFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR', ...passedOver)) return undefined;
    throw error;
  }
}
