// Two nodes compared path by path. Reads Merkle nodes only; equal subtrees are skipped by their digest.

import {
  MissingBlob,
  compareNames,
  emptyDirectory,
  sameNode,
  type Directory,
  type Node,
  type Trees,
} from '../store/index.ts';

/** One path at which two trees differ; a side that has nothing there is undefined. */
export interface Difference {
  /** Relative to the tops; '' when the tops themselves differ in kind. */
  readonly path: string;
  readonly before: Node | undefined;
  readonly after: Node | undefined;
}

/** Every path at which `after` differs from `before`, sorted. A folder on one side only counts as its files. */
export function compareNodes(
  before: Node | undefined,
  after: Node | undefined,
  trees: Pick<Trees, 'get'>,
): Difference[] {
  return [...differences(before, after, '', trees)].sort((a, b) => compareNames(a.path, b.path));
}

function* differences(
  before: Node | undefined,
  after: Node | undefined,
  path: string,
  trees: Pick<Trees, 'get'>,
): Generator<Difference> {
  if (before !== undefined && after !== undefined && sameNode(before, after)) return;
  if (before?.kind !== 'tree' && after?.kind !== 'tree') {
    yield { path, before, after };
    return;
  }
  // A file that became a folder is the file gone and the folder's files come.
  if (before !== undefined && before.kind !== 'tree') yield { path, before, after: undefined };
  if (after !== undefined && after.kind !== 'tree') yield { path, before: undefined, after };
  const [old, young] = [directoryOf(before, trees), directoryOf(after, trees)];
  if (old.size === 0 && young.size === 0) yield { path, before, after };
  for (const name of new Set([...old.keys(), ...young.keys()])) {
    yield* differences(old.get(name), young.get(name), path === '' ? name : `${path}/${name}`, trees);
  }
}

function directoryOf(node: Node | undefined, trees: Pick<Trees, 'get'>): Directory {
  if (node?.kind !== 'tree') return emptyDirectory;
  const directory = trees.get(node.digest);
  if (directory === undefined) throw new MissingBlob(node.digest);
  return directory;
}
