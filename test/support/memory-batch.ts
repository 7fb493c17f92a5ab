// A batch that lives in memory: enough for composing, which only touches Merkle nodes.

import { digestOf, type Digest } from '../../store/base/digest.ts';
import { emptyDirectory, encodeDirectory, type Directory, type Node } from '../../store/trees/tree.ts';
import type { TreeBatch } from '../../engine/perform/compose.ts';

/** A tree written as nested literals: strings are files, arrays are `[symlink target]`, objects are folders. */
export interface TreeLiteral {
  readonly [name: string]: string | readonly [string] | TreeLiteral;
}

export class MemoryBatch implements TreeBatch {
  readonly #directories = new Map<Digest, Directory>();
  readonly #blobs = new Map<Digest, string>();

  addBytes(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, Buffer.from(bytes).toString());
    return digest;
  }

  /** How often a directory was added. */
  added = 0;

  addDirectory(directory: Directory): Digest {
    this.added += 1;
    const digest = digestOf(encodeDirectory(directory));
    this.#directories.set(digest, directory);
    return digest;
  }

  directory(digest: Digest): Directory | undefined {
    return this.#directories.get(digest);
  }

  /** Adds a literal tree and gives its node. */
  tree(literal: TreeLiteral): Node {
    const entries = Object.entries(literal).map(([name, value]): [string, Node] => [name, this.#node(value)]);
    return { kind: 'tree', digest: this.addDirectory(new Map(entries)) };
  }

  /** A node as a literal again. */
  literal(node: Node): TreeLiteral | string | readonly [string] {
    if (node.kind === 'symlink') return [node.target];
    if (node.kind === 'blob') return this.#blobs.get(node.digest)!;
    const directory = this.#directories.get(node.digest) ?? emptyDirectory;
    return Object.fromEntries([...directory].map(([name, child]) => [name, this.literal(child)]));
  }

  #node(value: string | readonly [string] | TreeLiteral): Node {
    if (typeof value === 'string')
      return { kind: 'blob', digest: this.addBytes(Buffer.from(value)), executable: false };
    if (Array.isArray(value)) return { kind: 'symlink', target: (value as readonly [string])[0] };
    return this.tree(value as TreeLiteral);
  }
}
