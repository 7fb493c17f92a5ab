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
  const differences: Difference[] = [];
  const pending: Difference[] = [{ path: '', before, after }];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [different, below] = compareHere(pair, trees);
    differences.push(...different);
    for (const one of below) pending.push(one);
  }
  return differences.sort((a, b) => compareNames(a.path, b.path));
}

// What differs at one path itself, and what is to be compared below it.
function compareHere(
  pair: Difference,
  trees: Pick<Trees, 'get'>,
): [different: Difference[], below: Difference[]] {
  const { path, before, after } = pair;
  if (before !== undefined && after !== undefined && sameNode(before, after)) return [[], []];
  if (before?.kind !== 'tree' && after?.kind !== 'tree') return [[pair], []];
  const [old, young] = [directoryOf(before, trees), directoryOf(after, trees)];
  const different: Difference[] = [];
  // A file that became a folder is the file gone and the folder's files come.
  if (before !== undefined && before.kind !== 'tree') different.push({ path, before, after: undefined });
  if (after !== undefined && after.kind !== 'tree') different.push({ path, before: undefined, after });
  if (old.size === 0 && young.size === 0) different.push(pair);
  const below = [...new Set([...old.keys(), ...young.keys()])].map((name) => ({
    path: path === '' ? name : `${path}/${name}`,
    before: old.get(name),
    after: young.get(name),
  }));
  return [different, below];
}

function directoryOf(node: Node | undefined, trees: Pick<Trees, 'get'>): Directory {
  if (node?.kind !== 'tree') return emptyDirectory;
  const directory = trees.get(node.digest);
  if (directory === undefined) throw new MissingBlob(node.digest);
  return directory;
}
