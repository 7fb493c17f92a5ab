// What else goes when content turns out damaged or gone: folders of trees that hold a copy of it, and snapshots of
// imported folders, which vouch for content that they do not look at.

import { lstatSync } from 'node:fs';
import { listFolder } from '../base/list-folder.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { UserError } from '../base/errors.ts';
import { digestHash, type Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import { directoryByHash } from '../records/reachable.ts';
import { forgetSnapshots } from '../import/snapshot-files.ts';
import type { Layout } from '../layout.ts';
import type { Trees } from '../store.ts';
import type { Directory } from '../trees/tree.ts';
import { contentName, entryHash } from '../trees/tree-folders.ts';

export interface CopiesContext {
  readonly layout: Layout;
  readonly database: Database;
  readonly trees: Trees;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}

/** In place of what a directory that cannot be read holds: it may be anything. */
const unknown = '?';

/** Which folders hold what. Found out once for each directory, since a loss seldom comes alone. */
export class Copies {
  readonly #context: CopiesContext;
  /** By hash, the hashes of the directories that hold it. */
  readonly #holders = new Map<string, string[]>();
  readonly #followed = new Set<string>();

  constructor(context: CopiesContext) {
    this.#context = context;
  }

  /** @param hashes of what is lost: the digests' SHA-256 parts */
  forget(hashes: Iterable<string>): void {
    const { layout, freshPath } = this.#context;
    forgetSnapshots(layout, new Set());
    const entries = listFolder(layout.trees);
    for (const name of entries) this.#follow(name);
    const holding = this.#withHolders([...hashes, unknown]);
    for (const name of entries) {
      // Moved, not deleted: a step may be running on it.
      if (holding.has(entryHash(name))) renameIfThere(`${layout.trees}/${name}`, freshPath('damaged'));
    }
  }

  // The set is walked while it grows.
  #withHolders(hashes: readonly string[]): ReadonlySet<string> {
    const all = new Set(hashes);
    for (const hash of all) for (const holder of this.#holders.get(hash) ?? []) all.add(holder);
    return all;
  }

  #follow(name: string): void {
    const { layout, database } = this.#context;
    const hash = entryHash(name);
    if (this.#followed.has(hash)) return;
    const digest = directoryByHash(database, hash);
    if (digest !== undefined) this.#followDirectories(digest);
    else if (isFolder(`${layout.trees}/${name}/${contentName}`)) this.#note(unknown, hash);
  }

  #followDirectories(top: Digest): void {
    const pending = [top];
    for (let digest = pending.pop(); digest !== undefined; digest = pending.pop()) {
      const hash = digestHash(digest);
      if (this.#followed.has(hash)) continue;
      const directory = this.#read(digest);
      // It may be there again the next time.
      if (directory === undefined) this.#note(unknown, hash);
      else this.#followed.add(hash);
      for (const child of directory?.values() ?? []) {
        if (child.kind === 'symlink') continue;
        this.#note(digestHash(child.digest), hash);
        if (child.kind === 'tree') pending.push(child.digest);
      }
    }
  }

  #read(digest: Digest): Directory | undefined {
    try {
      return this.#context.trees.get(digest);
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  #note(held: string, holder: string): void {
    const holders = this.#holders.get(held);
    if (holders === undefined) this.#holders.set(held, [holder]);
    else holders.push(holder);
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
