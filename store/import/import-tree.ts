// Makes the tree of a walked folder once its changed files have been read, and the snapshot for the next import.
// Directories that are as they were keep their digest without being encoded again.

import { join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { bug } from '../base/errors.ts';
import type { SnapshotBuilder } from './build-snapshot.ts';
import type { SeenDirectory, SeenEntry, Snapshot } from './import-snapshot.ts';
import type { FileSlot, NewVisit, SameVisit, Visit, VisitedEntry } from './import-walk.ts';
import { linkTarget } from '../content/scan-folder.ts';
import type { Directory, Node } from '../trees/tree.ts';

export interface AssembleOptions {
  readonly folder: string;
  readonly addDirectory: (directory: Directory) => Digest;
  readonly builder: SnapshotBuilder;
  /** What the visits that are not new refer to. */
  readonly snapshot: Snapshot | undefined;
}

export interface AssembledTree {
  readonly tree: Digest;
  readonly files: number;
}

/** The tree of a visited folder. */
export function assembleTree(visit: Visit, options: AssembleOptions): AssembledTree {
  return new Assembly(options).tree(visit, '');
}

type DirectoryFacts = Pick<SeenDirectory, 'rulesAbove' | 'rules' | 'stats' | 'isYoung' | 'isPartly'>;

class Assembly {
  readonly #options: AssembleOptions;

  constructor(options: AssembleOptions) {
    this.#options = options;
  }

  tree(visit: Visit, path: string): AssembledTree {
    if (visit.kind === 'unchanged') return this.#unchanged(visit.directory);
    const finish = this.#options.builder.open();
    const directory = new Map<string, Node>();
    const entries: SeenEntry[] = [];
    let files = 0;
    for (const entry of visit.kind === 'same' ? this.#seenEntries(visit) : visit.entries) {
      const settled = this.#settle(entry, path);
      entries.push(settled.seen);
      files += settled.files;
      if (settled.node !== undefined) directory.set(settled.seen.name, settled.node);
    }
    const tree = this.#options.addDirectory(directory);
    finish({ ...this.#facts(visit), path, tree, files, entries });
    return { tree, files };
  }

  #unchanged(directory: number): AssembledTree {
    const snapshot = this.#snapshot();
    this.#options.builder.copy(snapshot, directory);
    return { tree: snapshot.tree(directory), files: snapshot.files(directory) };
  }

  #facts(visit: SameVisit | NewVisit): DirectoryFacts {
    const { rulesAbove, rules, stats, isYoung, isPartly } =
      visit.kind === 'same' ? this.#snapshot().seen(visit.directory) : visit;
    return { rulesAbove, rules, stats, isYoung, isPartly };
  }

  // A snapshot does not hold symlinks' targets: they are read again in the rare case that they are needed.
  #seenEntries({ directory, children }: SameVisit): VisitedEntry[] {
    const { path, entries } = this.#snapshot().seen(directory);
    return entries.map((seen): VisitedEntry => {
      const visit = children.get(seen.name);
      if (visit !== undefined) return { kind: 'directory', name: seen.name, visit };
      const file = join(this.#options.folder, path, seen.name);
      return { kind: 'seen', seen, target: seen.kind === 'symlink' ? linkTarget(file) : undefined };
    });
  }

  #settle(entry: VisitedEntry, path: string): Settled {
    switch (entry.kind) {
      case 'seen':
        return settleSeen(entry.seen, entry.target);
      case 'file':
        return settleSeen(importedEntry(entry.name, entry.file), undefined);
      case 'directory': {
        const { tree, files } = this.tree(entry.visit, path === '' ? entry.name : `${path}/${entry.name}`);
        return { seen: seenSubdirectory(entry.name), node: { kind: 'tree', digest: tree }, files };
      }
    }
  }

  #snapshot(): Snapshot {
    return this.#options.snapshot ?? bug('a visit refers to a snapshot that is not there');
  }
}

interface Settled {
  readonly seen: SeenEntry;
  /** Undefined for what is not in the tree. */
  readonly node: Node | undefined;
  readonly files: number;
}

function settleSeen(seen: SeenEntry, target: string | undefined): Settled {
  const { kind, digest } = seen;
  if (kind === 'left-out' || kind === 'repository') return { seen, node: undefined, files: 0 };
  if (kind === 'symlink') return { seen, node: { kind: 'symlink', target: target! }, files: 0 };
  return { seen, node: { kind: 'blob', digest: digest!, executable: kind === 'executable' }, files: 1 };
}

function importedEntry(name: string, file: FileSlot): SeenEntry {
  const { digest, executable, stats, fingerprint } = file.imported ?? bug(`${file.path} was not imported`);
  return { name, kind: executable ? 'executable' : 'file', stats, digest, fingerprint };
}

// A directory has times of its own in the snapshot; as an entry only its name counts.
function seenSubdirectory(name: string): SeenEntry {
  const stats = { size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
  return { name, kind: 'directory', stats, digest: undefined, fingerprint: undefined };
}
