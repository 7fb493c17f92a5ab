// Watches single names in one folder, whether something has them or not: so a file that editors replace by another, or that
// is deleted and comes back, stays watched.

import { basename } from 'node:path';
import { identityAt, watchDirectories, type DirectoryWatch, type WatchEvents } from './directory-events.ts';

/** By name: the paths that it stands for. They differ where links lead to one folder. */
export type WatchedNames = ReadonlyMap<string, ReadonlySet<string>>;

export class NameWatch {
  readonly #folder: string;
  readonly #watch: DirectoryWatch;
  readonly #identity: string | undefined;
  names: WatchedNames;
  #isReady = false;

  /** @param folder without symbolic links */
  constructor(folder: string, names: WatchedNames, events: WatchEvents) {
    this.#folder = folder;
    this.names = names;
    this.#identity = identityAt(folder);
    this.#watch = watchDirectories(folder, () => false, {
      onEntry: (at, name) => {
        if (at !== folder) return;
        events.onEvent();
        for (const path of this.#pathsOf(name)) events.onChange(path);
      },
      onFolder: () => undefined,
      onFolderGone: () => undefined,
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

  /** False when another folder is there by now. */
  isSound(): boolean {
    return this.#identity !== undefined && identityAt(this.#folder) === this.#identity;
  }

  close(): Promise<void> {
    return this.#watch.close();
  }

  // What the folder says of itself it says with its own name.
  #pathsOf(name: string | undefined): Iterable<string> {
    if (name === undefined || name === basename(this.#folder))
      return [...this.names.values()].flatMap((paths) => [...paths]);
    return this.names.get(name) ?? [];
  }
}
