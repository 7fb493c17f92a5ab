// The folders of this machine that an evaluation is about, brought into the store: each once, however often it is asked for.
// Knows nothing of derivations.

import type { Digest } from '../../store/base/digest.ts';
import type { FolderChanges, ImportResult, Store } from '../../store/index.ts';

/** A folder, and what of it is left out beside what git ignores. */
export interface Folder {
  /** Absolute. */
  readonly path: string;
  readonly exclude: readonly string[];
}

/** Equal for what is imported as one. */
export function folderKey({ path, exclude }: Folder): string {
  return [path, ...exclude].join('\0');
}

/** By folder: what its import saw, as the store names it. */
export type SeenFolders = ReadonlyMap<string, string>;

/**
 * What one saw who has watched the local folders of an evaluation without a gap since before it was asked for. Paths that are
 * told while it is made belong to the next list. Who may have missed something (an overflow, a folder that could not be
 * watched) gives no changes at all.
 */
export interface Changes {
  /** The evaluation before. */
  readonly since: { readonly seen: SeenFolders };
  /** Absolute. A folder's path stands for what is in it too. */
  readonly paths: readonly string[];
}

export interface FolderObserver {
  /** A local folder is going to be imported. */
  onFolder(folder: Folder): void;
}

export interface FolderImportsOptions {
  readonly store: Store;
  readonly signal: AbortSignal | undefined;
  readonly changes: Changes | undefined;
  readonly observer: FolderObserver | undefined;
}

export class FolderImports {
  readonly #options: FolderImportsOptions;
  readonly #results = new Map<string, Promise<ImportResult>>();
  readonly #seen = new Map<string, string>();

  constructor(options: FolderImportsOptions) {
    this.#options = options;
  }

  /** What has been imported so far. */
  get seen(): SeenFolders {
    return this.#seen;
  }

  /** The tree that a folder holds, which is in the store then. @throws UserError `SOURCE_MISSING`, `SOURCE_UNREADABLE`, `OUTPUT_INVALID`. */
  async contentOf(folder: Folder): Promise<Digest> {
    const key = folderKey(folder);
    this.#options.observer?.onFolder(folder);
    const importing = this.#results.get(key) ?? this.#import(folder, key);
    this.#results.set(key, importing);
    const { node, seen } = await importing;
    this.#seen.set(key, seen);
    return node.digest;
  }

  #import({ path, exclude }: Folder, key: string): Promise<ImportResult> {
    const { store, signal } = this.#options;
    const changes = this.#changesOf(key);
    return store.importFolder(path, {
      exclude,
      ...(changes !== undefined && { changes }),
      ...(signal !== undefined && { signal }),
    });
  }

  #changesOf(key: string): FolderChanges | undefined {
    const { changes } = this.#options;
    const since = changes?.since.seen.get(key);
    return changes === undefined || since === undefined ? undefined : { since, paths: changes.paths };
  }
}
