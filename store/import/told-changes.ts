// The last import of a folder when somebody tells what may have changed since: nothing else is looked at. Believes what it is
// told; whether that may be believed is for those to say who watch.

import { resolve } from 'node:path';
import { isSameDirectory, isSameRepository } from './compare-snapshot.ts';
import type { Snapshot } from './import-snapshot.ts';
import { LastImport } from './last-import.ts';

/**
 * What of the last import is the same when only `paths` may have changed. Undefined when the folder itself is among them, or
 * lies in one: then all of it has to be looked at.
 * @param tops the folder's names, its real path among them
 * @param paths absolute
 */
export function lastImportBut(
  paths: readonly string[],
  { tops, snapshot }: { readonly tops: readonly string[]; readonly snapshot: Snapshot },
): LastImport | undefined {
  const top = tops[0]!;
  const same = new Uint8Array(snapshot.directories).fill(1);
  const directories = new Directories(snapshot);
  for (const path of new Set(paths.map((path) => resolve(path)))) {
    if (tops.some((folder) => folder === path || folder.startsWith(`${path}/`))) return undefined;
    const inside = tops.find((folder) => path.startsWith(`${folder}/`));
    if (inside === undefined) continue;
    const { nearest, directory } = directories.find(path.slice(inside.length + 1).split('/'));
    same[nearest] = 0;
    // Something else may have taken its place, with all that is in it.
    if (directory === undefined) continue;
    for (let below = directory; below < snapshot.endOfSubtree(directory); below++)
      same[below] &&= Number(isSameDirectory(top, snapshot, below));
  }
  // What a repository tracks changes in its own files, which nobody need watch.
  for (const directory of directories.repositories())
    same[directory] &&= Number(isSameRepository(top, snapshot, directory));
  return new LastImport(snapshot, same);
}

/** Finds a snapshot's directories by their paths. */
class Directories {
  readonly #snapshot: Snapshot;
  readonly #inside = new Map<number, ReadonlyMap<string, number>>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** The nearest directory above a path, and the one that the path itself is, where it is one. */
  find(path: readonly string[]): { readonly nearest: number; readonly directory: number | undefined } {
    let nearest = 0;
    for (const [at, name] of path.entries()) {
      const directory = this.#subdirectories(nearest).get(name);
      if (directory === undefined || at === path.length - 1) return { nearest, directory };
      nearest = directory;
    }
    return { nearest, directory: undefined };
  }

  /** Those that are the top of a repository's work tree. */
  *repositories(): Generator<number> {
    const { entries, directories } = this.#snapshot;
    for (let entry = 0, directory = 0; entry < entries; entry++) {
      if (this.#snapshot.kind(entry) !== 'repository') continue;
      while (directory + 1 < directories && this.#snapshot.firstEntry(directory + 1) <= entry) directory++;
      yield directory;
    }
  }

  #subdirectories(directory: number): ReadonlyMap<string, number> {
    const known = this.#inside.get(directory);
    if (known !== undefined) return known;
    const found = new Map<string, number>();
    const { names } = this.#snapshot.names(directory);
    const first = this.#snapshot.firstEntry(directory);
    const isDirectory = (_: string, at: number): boolean => this.#snapshot.kind(first + at) === 'directory';
    const inside = names.filter(isDirectory).values();
    for (const number of this.#snapshot.subdirectories(directory)) found.set(inside.next().value!, number);
    this.#inside.set(directory, found);
    return found;
  }
}
