// How much a tree holds. Reads Merkle nodes only, each once.

import { digestSize, type Digest } from '../../store/base/digest.ts';
import type { Node, Trees } from '../../store/index.ts';

export interface Size {
  readonly files: number;
  readonly sizeBytes: number;
}

const nothing: Size = { files: 0, sizeBytes: 0 };

/**
 * Files (symlinks among them) and bytes at and below a node; a file that is there twice counts twice. Trees may be of any
 * depth.
 */
export function sizeOf(top: Node, trees: Pick<Trees, 'get'>): Size {
  const known = new Map<Digest, Size>();
  const sizeIn = (node: Node): Size | undefined => {
    if (node.kind === 'symlink') return { files: 1, sizeBytes: 0 };
    if (node.kind === 'blob') return { files: 1, sizeBytes: digestSize(node.digest) };
    return known.get(node.digest);
  };
  // A tree waits below the trees in it.
  const waiting = top.kind === 'tree' ? [top.digest] : [];
  for (let tree = waiting.at(-1); tree !== undefined; tree = waiting.at(-1)) {
    const nodes = [...(trees.get(tree)?.values() ?? [])];
    const unknown = nodes.flatMap((node) =>
      sizeIn(node) === undefined && node.kind === 'tree' ? [node.digest] : [],
    );
    waiting.push(...unknown);
    if (unknown.length > 0) continue;
    known.set(tree, nodes.map((node) => sizeIn(node)!).reduce(add, nothing));
    waiting.pop();
  }
  return sizeIn(top)!;
}

function add(a: Size, b: Size): Size {
  return { files: a.files + b.files, sizeBytes: a.sizeBytes + b.sizeBytes };
}
