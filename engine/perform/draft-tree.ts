// A tree while it is being put together: folders in memory over nodes of the store. Only what comes out in the end is
// encoded, each directory once. Knows no derivations.

import { bug } from '../../store/base/errors.ts';
import { MissingBlob, sameNode, type Batch, type Directory, type Node } from '../../store/index.ts';
import type { Digest } from '../../store/base/digest.ts';

/** The part of a batch that trees are put together with. */
export type TreeBatch = Pick<Batch, 'addDirectory' | 'directory' | 'addBytes'>;

/** A folder that has no digest yet. */
export interface DraftFolder {
  readonly kind: 'folder';
  readonly entries: ReadonlyMap<string, DraftNode>;
}
export type DraftNode = Node | DraftFolder;

/** Called where two nodes cannot be merged; gives the one that stands in the end, or throws. */
export type OnConflict = (path: string, below: DraftNode, above: DraftNode) => DraftNode;

export const emptyFolder: DraftFolder = { kind: 'folder', entries: new Map() };

/** A node below as many new folders as `path` has parts. */
export function placedAt(path: readonly string[], node: DraftNode): DraftNode {
  return path.reduceRight<DraftNode>(
    (inner, name) => ({ kind: 'folder', entries: new Map([[name, inner]]) }),
    node,
  );
}

/** Lays trees over each other. What it is given stays as it is: a folder is copied when it is first added to. */
export class DraftMerge {
  readonly #batch: TreeBatch;
  /** The entries of folders that were made here, and may be changed. */
  readonly #own = new WeakMap<DraftNode, Map<string, DraftNode>>();

  constructor(batch: TreeBatch) {
    this.#batch = batch;
  }

  /** `above` laid over `below`, which must not be used any more; `path` is where in the result both are. */
  overlay(below: DraftNode, above: DraftNode, onConflict: OnConflict, path = ''): DraftNode {
    if (isSealed(below) && isSealed(above) && sameNode(below, above)) return below;
    if (!isFolder(below) || !isFolder(above)) return onConflict(path, below, above);
    const [merged, entries] = this.#opened(below);
    for (const [name, node] of entriesOf(above, this.#batch)) {
      const other = entries.get(name);
      const at = path === '' ? name : `${path}/${name}`;
      entries.set(name, other === undefined ? node : this.overlay(other, node, onConflict, at));
    }
    return merged;
  }

  #opened(folder: DraftNode): [DraftNode, Map<string, DraftNode>] {
    const own = this.#own.get(folder);
    if (own !== undefined) return [folder, own];
    const entries = new Map(entriesOf(folder, this.#batch));
    const opened: DraftFolder = { kind: 'folder', entries };
    this.#own.set(opened, entries);
    return [opened, entries];
  }
}

/** The finished tree: every folder encoded once, and added to the batch. */
export function sealed(node: DraftNode, batch: TreeBatch): Node {
  if (isSealed(node)) return node;
  const directory = new Map<string, Node>();
  for (const [name, child] of node.entries) directory.set(name, sealed(child, batch));
  return { kind: 'tree', digest: batch.addDirectory(directory) };
}

export function isFolder(node: DraftNode): boolean {
  return node.kind === 'folder' || node.kind === 'tree';
}

/** What is in a folder, or a tree of the store. */
export function entriesOf(folder: DraftNode, batch: TreeBatch): ReadonlyMap<string, DraftNode> {
  if (folder.kind === 'folder') return folder.entries;
  return folder.kind === 'tree'
    ? readDirectory(folder.digest, batch)
    : bug(`a ${folder.kind} has no entries`);
}

function isSealed(node: DraftNode): node is Node {
  return node.kind !== 'folder';
}

function readDirectory(digest: Digest, batch: TreeBatch): Directory {
  const directory = batch.directory(digest);
  if (directory === undefined) throw new MissingBlob(digest);
  return directory;
}
