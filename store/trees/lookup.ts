// The node at a path inside a tree, whoever has its directories.

import type { Digest } from '../base/digest.ts';
import { MissingBlob } from '../store.ts';
import { parseTreePath, type Directory, type Node } from './tree.ts';

/** Undefined when the tree has no such path. @throws MissingBlob for a directory on the way that nobody has */
export function lookupIn(
  top: Node,
  path: string,
  directoryOf: (digest: Digest) => Directory | undefined,
): Node | undefined {
  let node: Node | undefined = top;
  for (const part of parseTreePath(path)) {
    if (node?.kind !== 'tree') return undefined;
    const directory = directoryOf(node.digest);
    // Whether it has such an entry cannot be told, and "no" would be a guess.
    if (directory === undefined) throw new MissingBlob(node.digest);
    node = directory.get(part);
  }
  return node;
}
