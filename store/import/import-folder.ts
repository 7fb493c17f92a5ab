// Imports a folder of this machine: compares it with what the last import saw, has threads copy what changed, commits the
// tree, and keeps what the next import may rely on.

import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { UserError, isErrno } from '../base/errors.ts';
import type { FileBatch } from '../content/batch.ts';
import { SnapshotBuilder } from './build-snapshot.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import type { FilePool } from '../content/file-pool.ts';
import { IgnoreRules } from './ignore-rules.ts';
import { assembleTree } from './import-tree.ts';
import { walkFolder, type FileSlot, type Visit } from './import-walk.ts';
import { compareLastImport, type LastImport } from './last-import.ts';
import type { Layout } from '../layout.ts';
import { snapshotId } from './import-snapshot.ts';
import { readSnapshot, writeSnapshot } from './snapshot-files.ts';
import { lastImportBut } from './told-changes.ts';
import { MissingBlob, type FolderChanges, type ImportOptions, type ImportResult } from '../store.ts';

export interface ImportContext {
  readonly layout: Layout;
  readonly pool: () => FilePool;
  readonly begin: () => FileBatch;
  /** Keeps a tree from garbage collection, once it is there. */
  readonly use: (tree: Digest) => Promise<void>;
  /** True when the directory is in the store; then all below it is. */
  readonly hasDirectory: (tree: Digest) => boolean;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: () => string;
}

/** An import starts again when content that it found in the store is collected before its tree can keep it. */
const attempts = 3;

/** The coarsest clock that a file system keeps times with (FAT: 2 s): within it, a change can leave the times equal. */
const coarsestTickMs = 2000;

/** @throws UserError `SOURCE_MISSING`, `SOURCE_UNREADABLE`, `OUTPUT_INVALID` */
export async function importFolder(
  folder: string,
  options: ImportOptions,
  context: ImportContext,
): Promise<ImportResult> {
  try {
    const real = realFolder(folder);
    const rules = IgnoreRules.above(real, options.exclude ?? []);
    const { changes, signal } = options;
    const source = { ...context, folder: real, named: resolve(folder), rules, changes, signal };
    for (let attempt = 1; ; attempt++) {
      const last = attempt === 1 ? await lastImport(source) : undefined;
      try {
        return await importSince(last, source);
      } catch (error) {
        if (!(error instanceof MissingBlob) || attempt === attempts) throw error;
      }
    }
  } catch (error) {
    throw explain(error, folder, context.layout);
  }
}

interface Source extends ImportContext {
  /** Its real path. */
  readonly folder: string;
  /** The path that it was asked for by. */
  readonly named: string;
  readonly rules: IgnoreRules;
  readonly changes: FolderChanges | undefined;
  readonly signal: AbortSignal | undefined;
}

async function lastImport(source: Source): Promise<LastImport | undefined> {
  const snapshot = readSnapshot(source.layout, { folder: source.folder, rules: source.rules.id });
  if (snapshot === undefined) return undefined;
  const { folder, named, changes } = source;
  const told =
    changes?.since === snapshot.id
      ? lastImportBut(changes.paths, { tops: [folder, named], snapshot })
      : undefined;
  return told ?? compareLastImport(folder, snapshot, source);
}

/** @throws MissingBlob when something that the last import left in the store, or this one found there, has gone since. */
async function importSince(last: LastImport | undefined, source: Source): Promise<ImportResult> {
  const { layout, folder } = source;
  const batch = source.begin();
  try {
    const { visit, filesRead } = await readChanges(batch, last, source);
    const builder = new SnapshotBuilder();
    const { tree, files } = assembleTree(visit, {
      folder,
      addDirectory: (directory) => batch.addDirectory(directory),
      builder,
      snapshot: last?.snapshot,
    });
    await source.use(tree);
    await batch.commit();
    if (!source.hasDirectory(tree)) throw new MissingBlob(tree);
    const node = { kind: 'tree', digest: tree } as const;
    if (visit.kind === 'unchanged') return { node, files, filesRead, seen: last!.snapshot.id };
    const snapshot = builder.encode();
    writeSnapshot(layout, { folder, rules: source.rules.id }, snapshot, source.freshPath());
    return { node, files, filesRead, seen: snapshotId(snapshot) };
  } finally {
    await batch.discard();
  }
}

async function readChanges(
  batch: FileBatch,
  last: LastImport | undefined,
  source: Source,
): Promise<{ readonly visit: Visit; readonly filesRead: number }> {
  const trustedBeforeMs = Date.now() - coarsestTickMs;
  const copies = new FileCopies(batch, source, trustedBeforeMs);
  let visit: Visit;
  try {
    visit = await walkFolder(source.folder, {
      rules: source.rules,
      last,
      trustedBeforeMs,
      isStore: isSameFolder(source.layout.root),
      onFile: (file) => copies.add(file),
      signal: source.signal,
    });
  } finally {
    await copies.settled();
  }
  source.signal?.throwIfAborted();
  copies.throwIfFailed();
  return { visit, filesRead: copies.count };
}

/** Files on their way to the threads, handed over in chunks. */
class FileCopies {
  readonly #batch: FileBatch;
  readonly #context: ImportContext;
  readonly #trustedBeforeMs: number;
  readonly #jobs: Promise<void>[] = [];
  #chunk: FileSlot[] = [];
  #chunkBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  count = 0;

  constructor(batch: FileBatch, context: ImportContext, trustedBeforeMs: number) {
    this.#batch = batch;
    this.#context = context;
    this.#trustedBeforeMs = trustedBeforeMs;
  }

  add(file: FileSlot): void {
    this.count++;
    this.#chunk.push(file);
    this.#chunkBytes += file.sizeBytes;
    if (this.#chunk.length >= 256 || this.#chunkBytes >= 16 << 20) this.#send();
  }

  /** Waits until no thread works on any of them, whether they failed or not. */
  async settled(): Promise<void> {
    if (this.#chunk.length > 0) this.#send();
    await Promise.all(this.#jobs);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #send(): void {
    const chunk = this.#chunk;
    this.#chunk = [];
    this.#chunkBytes = 0;
    this.#jobs.push(this.#copy(chunk).catch((error: unknown) => void (this.#failure ??= { error })));
  }

  async #copy(files: readonly FileSlot[]): Promise<void> {
    if (this.#failure !== undefined) return;
    const imported = await this.#context.pool().import(
      files.map(({ path, known }) => ({ path, known })),
      {
        layout: this.#context.layout,
        folder: this.#batch.folder(),
        trustedBeforeMs: this.#trustedBeforeMs,
      },
    );
    for (const [at, file] of files.entries()) {
      file.imported = imported[at]!;
      const { content, digest, executable } = file.imported;
      if (content === 'staged') this.#batch.stage(digest, executable);
      if (content === 'stored') this.#batch.share(digest, executable);
    }
  }
}

function realFolder(folder: string): string {
  const path = realpathSync(folder);
  if (statSync(path).isDirectory()) return path;
  throw new UserError('SOURCE_MISSING', `${folder} is not a folder`, {
    hint: 'Name a folder; a single file can be written into the config.',
  });
}

// By device and inode: the store may have been named by a path of symlinks, or be mounted in two places. Numbers of JavaScript
// can round two inodes to one, so what looks the same is looked at once more.
function isSameFolder(folder: string): (path: string, stats: Stats) => boolean {
  const wanted = statSync(folder, { bigint: true });
  return (path, { dev, ino }) => {
    if (ino !== Number(wanted.ino) || dev !== Number(wanted.dev)) return false;
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.ino === wanted.ino && found.dev === wanted.dev;
  };
}

function explain(error: unknown, folder: string, layout: Layout): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (isErrno(error, 'ENOSPC', 'EDQUOT') || path?.startsWith(`${layout.root}/`) === true)
    return explainWriteError(error, layout.root);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const what = code === 'ENOENT' ? 'is not there' : `cannot be read (${message.split(',')[0]!})`;
  const isGone = code === 'ENOENT' && path !== undefined && resolve(folder).startsWith(path);
  return new UserError(isGone ? 'SOURCE_MISSING' : 'SOURCE_UNREADABLE', `${path ?? folder} ${what}`, {
    hint: 'See to it that it exists and that you may read it, or leave it out with a .cairnignore file.',
    cause: error,
  });
}
