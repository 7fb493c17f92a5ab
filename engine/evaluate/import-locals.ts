// Brings local folders into the store: what they hold is part of what is evaluated. Knows nothing of configs but the
// folder that relative paths start from.

import { readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Digest } from '../../store/base/digest.ts';
import { isErrno, UserError, type ErrorCode } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { Local } from '../model/derivation.ts';
import {
  actionIdOf,
  actionRecord,
  derivationIdOf,
  derivationRecord,
  type RecordValue,
} from '../model/encode.ts';
import type { LocalSource } from './evaluation.ts';
import type { FolderImports } from './folder-imports.ts';

export interface ImportLocalsOptions {
  readonly store: Store;
  readonly imports: FolderImports;
  /** What relative paths start from. */
  readonly folder: string;
}

export interface ImportedLocals {
  readonly sources: ReadonlyMap<Local, LocalSource>;
  /** `SOURCE_MISSING`, `SOURCE_UNREADABLE` or `OUTPUT_INVALID` for each folder that could not be imported. */
  readonly errors: ReadonlyMap<Local, UserError>;
}

/** Imports each local folder once, however often it is named. */
export async function importLocals(
  locals: readonly Local[],
  { store, imports, folder }: ImportLocalsOptions,
): Promise<ImportedLocals> {
  const sources = new Map<Local, LocalSource>();
  const errors = new Map<Local, UserError>();
  const known = new Map<string, LocalSource | UserError>();
  for (const local of locals) {
    const path = resolve(folder, local.path);
    const key = [local.name, local.standsFor, path, ...local.exclude].join('\0');
    const found = known.get(key) ?? (await importOrError({ ...local, path }, imports));
    known.set(key, found);
    if (found instanceof UserError) errors.set(local, found);
    else sources.set(local, found);
  }
  await recordLocals([...sources.values()], store);
  return { sources, errors };
}

async function importOrError(local: Local, imports: FolderImports): Promise<LocalSource | UserError> {
  try {
    return await importLocal(local, imports);
  } catch (error) {
    if (!isAboutFolder(error)) throw error;
    const { cause } = error;
    // Of the folder itself, or of one above it: what else can be missing lies below.
    return isErrno(cause, 'ENOENT') && cause.path !== undefined && local.path.startsWith(cause.path)
      ? notThere(local.path, cause.path, error)
      : error;
  }
}

function notThere(path: string, missing: string, cause: UserError): UserError {
  const meant = didYouMean(basename(missing), foldersIn(dirname(missing)));
  return new UserError('SOURCE_MISSING', `the folder ${path} is not there`, {
    hint: `${meant}Make it, or mend its path: what is relative starts from the config's folder.`,
    cause,
  });
}

function foldersIn(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

const aboutFolders: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'OUTPUT_INVALID',
  'SOURCE_MISSING',
  'SOURCE_UNREADABLE',
]);

/** True of an error that says that one folder cannot be imported as it is. */
export function isAboutFolder(error: unknown): error is UserError {
  return error instanceof UserError && aboutFolders.has(error.code);
}

async function importLocal(local: Local, imports: FolderImports): Promise<LocalSource> {
  const content = await imports.contentOf(local);
  return sourceOf(local, content);
}

/** Says that imported folders are realised: nothing is left to be done for them. */
export async function recordLocals(sources: readonly LocalSource[], { records }: Store): Promise<void> {
  const isNew = ({ id }: LocalSource): boolean => records.memo(id) === undefined;
  if (!sources.some(isNew)) return;
  await records.update((writer) => {
    for (const source of sources.filter(isNew)) {
      const derivation = source.id;
      const action = actionIdOf(actionRecord(localOf(source), noInputs, source.content));
      const outputs = { out: { kind: 'tree', digest: source.content } } as const;
      writer.putMemo({ derivation, action, outputs });
    }
  });
}

/** The derivation of a local source. */
export function localOf({ name, path, exclude, standsFor }: Omit<LocalSource, 'id' | 'content'>): Local {
  return Object.freeze({ kind: 'local', name, path, exclude, ...(standsFor !== undefined && { standsFor }) });
}

/** The canonical record of a folder that holds this. */
export function localRecord(local: Omit<LocalSource, 'id' | 'content'>, content: Digest): RecordValue {
  return derivationRecord(localOf(local), noInputs, content);
}

/** The source that a local folder is with what it was found to hold. */
export function sourceOf(local: Omit<LocalSource, 'id' | 'content'>, content: Digest): LocalSource {
  const { name, path, exclude, standsFor } = local;
  const id = derivationIdOf(localRecord(local, content));
  return { id, name, path, exclude, ...(standsFor !== undefined && { standsFor }), content };
}

function noInputs(): never {
  throw new TypeError('a local folder has no inputs');
}
