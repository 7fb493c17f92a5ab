// Directories by digest, decoded and cached. Knows the database table they lie in, not the disk.

import type { Digest } from '../base/digest.ts';
import type { Table } from '../records/table.ts';
import type { Trees } from '../store.ts';
import { lookupIn } from './lookup.ts';
import { decodeDirectory, emptyDirectory, emptyTree, type Directory, type Node } from './tree.ts';

/** Bounds the cache by what it holds: entries, not directories. */
const cachedEntries = 200_000;

/** Directories of one store. */
export class StoredTrees implements Trees {
  readonly #table: () => Table;
  readonly #deletions: () => string;
  #seenDeletions: string | undefined;
  readonly #cache = new Map<Digest, Directory>();
  #entries = 0;

  /**
   * @param table opened only when a directory is first asked for
   * @param deletions differs once directories were taken out of it
   */
  constructor(table: () => Table, deletions: () => string) {
    this.#table = table;
    this.#deletions = deletions;
  }

  /** Forgets what was read before another process took directories away. */
  refresh(): void {
    const deletions = this.#deletions();
    if (deletions === this.#seenDeletions) return;
    this.#seenDeletions = deletions;
    this.#cache.clear();
    this.#entries = 0;
  }

  get(digest: Digest): Directory | undefined {
    if (digest === emptyTree.digest) return emptyDirectory;
    const cached = this.#cache.get(digest);
    if (cached !== undefined) return cached;
    const bytes = this.#table().get(digest);
    if (bytes === undefined) return undefined;
    const directory = decodeDirectory(bytes);
    this.#remember(digest, directory);
    return directory;
  }

  /** True when the directory is in the store now, whatever was read of it before. */
  isStored(digest: Digest): boolean {
    return digest === emptyTree.digest || this.#table().doesExist(digest);
  }

  lookup(top: Node, path: string): Node | undefined {
    return lookupIn(top, path, (digest) => this.get(digest));
  }

  #remember(digest: Digest, directory: Directory): void {
    this.#entries += directory.size + 1;
    if (this.#entries > cachedEntries) {
      this.#cache.clear();
      this.#entries = directory.size + 1;
    }
    this.#cache.set(digest, directory);
  }
}
