// How much a tree holds. Reads Merkle nodes only, each once.

import { digestSize, type Digest } from '../../store/base/digest.ts';
import type { Node, Trees } from '../../store/index.ts';

export interface Size {
  readonly files: number;
  readonly sizeBytes: number;
}

const nothing: Size = { files: 0, sizeBytes: 0 };

/** Files (symlinks among them) and bytes at and below a node; a file that is there twice counts twice. */
export function sizeOf(top: Node, trees: Pick<Trees, 'get'>): Size {
  const known = new Map<Digest, Size>();
  const measure = (node: Node): Size => {
    if (node.kind === 'symlink') return { files: 1, sizeBytes: 0 };
    if (node.kind === 'blob') return { files: 1, sizeBytes: digestSize(node.digest) };
    const size =
      known.get(node.digest) ??
      [...(trees.get(node.digest)?.values() ?? [])].map(measure).reduce(add, nothing);
    known.set(node.digest, size);
    return size;
  };
  return measure(top);
}

function add(a: Size, b: Size): Size {
  return { files: a.files + b.files, sizeBytes: a.sizeBytes + b.sizeBytes };
}
