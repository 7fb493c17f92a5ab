// Watches one folder with all below it that an import of it takes. What chokidar may miss is found afterwards: folders that
// were made while theirs was being read, and folders that were replaced by others of the same name.

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import type { ImportRules } from '../../store/index.ts';
import { identityOf, watchDirectories, type DirectoryWatch, type WatchEvents } from './directory-events.ts';
import { isWithin } from './places.ts';
import { isScratchName } from './scratch-names.ts';

export interface WatchedTree {
  /** As it was named. */
  readonly path: string;
  readonly rules: ImportRules;
  /** Folders that are passed over wherever they turn up: the store. */
  readonly isForeign: (folder: string) => boolean;
}

/** A folder is looked into again until it has been watched for so long. */
const settledMs = 500;

export class TreeWatch {
  readonly rules: ImportRules;
  readonly #tree: WatchedTree;
  readonly #events: WatchEvents;
  readonly #watch: DirectoryWatch;
  /** Of every watched folder, which it was when it was found. */
  readonly #folders = new Map<string, string>();
  /** Watched since (ms), and not looked into since then. */
  readonly #young = new Map<string, number>();
  /** May be another folder by now than the one that is watched. */
  readonly #suspects = new Set<string>();
  #rulesId: string;
  #isReady = false;
  #isOutdated = false;

  constructor(tree: WatchedTree, events: WatchEvents) {
    this.rules = tree.rules;
    this.#tree = tree;
    this.#events = events;
    this.#rulesId = this.rules.readAgain();
    this.#watch = watchDirectories(this.rules.folder, (folder) => this.#wants(folder), {
      onEntry: (folder, name) => this.#entry(folder, name),
      onFolder: (folder, identity) => this.#found(folder, identity),
      onFolderGone: (folder) => this.#gone(folder),
      onReady: () => {
        this.#isReady = true;
        events.onUnsure();
      },
      onError: (error) => events.onError(error),
    });
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#folders.size;
  }

  /** Something outside the folder has changed that decides what of it is left out. */
  reconsiderRules(): void {
    if (this.rules.readAgain() !== this.#rulesId) this.outdate();
  }

  /** From now on this is not to be relied on. */
  outdate(): void {
    this.#isOutdated = true;
    this.#events.onChange(this.rules.folder);
  }

  /** False when it has to be opened anew: folders are watched that are not, or should not be, those that are there. */
  isSound(): boolean {
    const suspects = [this.rules.folder, ...this.#suspects];
    this.#suspects.clear();
    return !this.#isOutdated && this.#leadsThere() && suspects.every((folder) => this.#isTheSame(folder));
  }

  /** Watches folders that were made unseen. */
  survey(): void {
    if (!this.#isReady) return;
    const nowMs = performance.now();
    for (const [folder, sinceMs] of this.#young) {
      if (nowMs - sinceMs > settledMs) this.#young.delete(folder);
      for (const path of foldersIn(folder)) {
        if (this.#folders.has(path) || !this.#wants(path)) continue;
        this.#watch.add(path);
        this.#events.onUnsure();
      }
    }
  }

  close(): Promise<void> {
    return this.#watch.close();
  }

  #wants(folder: string): boolean {
    return !this.rules.leavesOut(folder, true) && !this.#tree.isForeign(folder);
  }

  #entry(folder: string, name: string | undefined): void {
    this.#events.onEvent();
    if (name === undefined) {
      this.#events.onChange(folder);
      return;
    }
    // What a folder says of itself it says with its own name.
    if (name === basename(folder)) this.#suspects.add(folder);
    const path = `${folder}/${name}`;
    if (this.#folders.has(path)) this.#suspects.add(path);
    if (this.rules.decides(path)) this.outdate();
    else if (isScratchName(name)) this.#events.onAside(path);
    else if (!this.#isLeftOut(path)) this.#events.onChange(path);
  }

  #isLeftOut(path: string): boolean {
    try {
      return this.rules.leavesOut(path, this.#folders.has(path));
    } catch {
      // Rules that cannot be read are for the import to complain of.
      return false;
    }
  }

  #found(folder: string, identity: string): void {
    if (!isWithin(folder, this.rules.folder)) return;
    this.#folders.set(folder, identity);
    this.#suspects.delete(folder);
    this.#young.set(folder, performance.now());
    if (!this.#isReady) return;
    this.#events.onChange(folder);
    this.#events.onUnsure();
  }

  #gone(folder: string): void {
    this.#folders.delete(folder);
    this.#suspects.delete(folder);
    this.#young.delete(folder);
    this.#events.onChange(folder);
  }

  #leadsThere(): boolean {
    try {
      return realpathSync(this.#tree.path) === this.rules.folder;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return false;
      throw error;
    }
  }

  // One that is gone is for chokidar to notice.
  #isTheSame(folder: string): boolean {
    const known = this.#folders.get(folder);
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    return known === undefined || stats === undefined || identityOf(stats) === known;
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${folder}/${name}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}
