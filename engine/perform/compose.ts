// The `compose` and `write` kinds: trees → tree on Merkle nodes only. No file is read or copied; equal subtrees are
// recognised by their digest, so the cost is proportional to what differs.

import picomatch from 'picomatch';
import { UserError, bug } from '../../store/base/errors.ts';
import {
  emptyDirectory,
  parseTreePath,
  sameNode,
  type Batch,
  type Directory,
  type Node,
} from '../../store/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Compose, ComposePart, FileContent, Write } from '../model/derivation.ts';

/** The part of a batch that composing needs. */
export type TreeBatch = Pick<Batch, 'addDirectory' | 'directory' | 'addBytes'>;

interface PlacedPart {
  readonly label: string;
  readonly node: Node;
}

/**
 * The composed tree.
 * @throws UserError `COMPOSE_CONFLICT` naming the path and both parts, `PATH_INVALID` for a part that cannot be placed.
 */
export function composeTrees(
  derivation: Compose,
  nodeOf: (part: ComposePart) => Node,
  batch: TreeBatch,
): Node {
  const placed = derivation.parts.map((part): PlacedPart => {
    const filtered = filterNode(nodeOf(part), part, batch);
    return { label: part.input.derivation.name, node: placeAt(derivation.name, filtered, part, batch) };
  });
  const merge = new Merge(derivation, placed, batch);
  return placed.reduce<Node>((merged, part) => merge.overlay(merged, part, ''), emptyNode(batch));
}

/** The tree of a `write` derivation. */
export function writeTree(derivation: Write, batch: TreeBatch): Node {
  const parts = Object.entries(derivation.files).map(([path, content]) =>
    nest(parseTreePath(path), fileNode(content, batch), batch),
  );
  const merge = new Merge({ name: derivation.name, conflicts: 'error' }, [], batch);
  return parts.reduce<Node>(
    (merged, node) => merge.overlay(merged, { label: derivation.name, node }, ''),
    emptyNode(batch),
  );
}

class Merge {
  readonly #owner: Pick<Compose, 'name' | 'conflicts'>;
  readonly #parts: readonly PlacedPart[];
  readonly #batch: TreeBatch;

  constructor(owner: Pick<Compose, 'name' | 'conflicts'>, parts: readonly PlacedPart[], batch: TreeBatch) {
    this.#owner = owner;
    this.#parts = parts;
    this.#batch = batch;
  }

  /** `part` laid over `below`; `path` is where in the result both are. */
  overlay(below: Node, part: PlacedPart, path: string): Node {
    if (sameNode(below, part.node)) return below;
    if (below.kind !== 'tree' || part.node.kind !== 'tree') {
      if (this.#owner.conflicts === 'error') throw this.#conflict(path, part);
      return part.node;
    }
    const merged = new Map(readDirectory(below.digest, this.#batch));
    for (const [name, node] of readDirectory(part.node.digest, this.#batch)) {
      const other = merged.get(name);
      const at = path === '' ? name : `${path}/${name}`;
      merged.set(name, other === undefined ? node : this.overlay(other, { label: part.label, node }, at));
    }
    return { kind: 'tree', digest: this.#batch.addDirectory(merged) };
  }

  #conflict(path: string, part: PlacedPart): UserError {
    const first = this.#parts.find(({ node }) => lookup(node, path, this.#batch) !== undefined);
    return new UserError(
      'COMPOSE_CONFLICT',
      `${this.#owner.name}: ${first?.label ?? 'another part'} and ${part.label} bring different content to ${path}`,
      {
        hint: `Leave it out of one of them with exclude: ['${path}'], or state the order with conflicts: 'later-wins'.`,
      },
    );
  }
}

function filterNode(node: Node, part: ComposePart, batch: TreeBatch): Node {
  if (node.kind !== 'tree' || (part.include.length === 0 && part.exclude.length === 0)) return node;
  const options = { dot: true };
  const isExcluded = picomatch([...part.exclude], options);
  const isIncluded = part.include.length === 0 ? (): boolean => true : picomatch([...part.include], options);
  const filter = (digest: Digest, path: string): Directory => {
    const kept = new Map<string, Node>();
    for (const [name, child] of readDirectory(digest, batch)) {
      const at = path === '' ? name : `${path}/${name}`;
      if (isExcluded(at)) continue;
      if (child.kind !== 'tree') {
        if (isIncluded(at)) kept.set(name, child);
        continue;
      }
      const directory =
        isIncluded(at) && part.exclude.length === 0
          ? readDirectory(child.digest, batch)
          : filter(child.digest, at);
      // A folder that is empty only because of the filter goes too.
      if (directory.size > 0 || isEmptyAlready(child.digest, batch))
        kept.set(name, { kind: 'tree', digest: batch.addDirectory(directory) });
    }
    return kept;
  };
  return { kind: 'tree', digest: batch.addDirectory(filter(node.digest, '')) };
}

function isEmptyAlready(digest: Digest, batch: TreeBatch): boolean {
  return readDirectory(digest, batch).size === 0;
}

function placeAt(owner: string, node: Node, part: ComposePart, batch: TreeBatch): Node {
  if (part.at === '' && node.kind !== 'tree') {
    throw new UserError(
      'PATH_INVALID',
      `${owner}: ${part.input.derivation.name} is a file, and files need a place`,
      {
        hint: "Say where it goes with at: 'path/of/the/file'.",
      },
    );
  }
  return nest(parseTreePath(part.at), node, batch);
}

function nest(path: readonly string[], node: Node, batch: TreeBatch): Node {
  return path.reduceRight<Node>(
    (inner, name) => ({ kind: 'tree', digest: batch.addDirectory(new Map([[name, inner]])) }),
    node,
  );
}

function fileNode(content: FileContent, batch: TreeBatch): Node {
  if ('symlink' in content) return { kind: 'symlink', target: content.symlink };
  const executable = content.executable ?? false;
  const bytes = 'text' in content ? Buffer.from(content.text) : content.bytes;
  return { kind: 'blob', digest: batch.addBytes(bytes, executable), executable };
}

function emptyNode(batch: TreeBatch): Node {
  return { kind: 'tree', digest: batch.addDirectory(emptyDirectory) };
}

function lookup(root: Node, path: string, batch: TreeBatch): Node | undefined {
  let node: Node | undefined = root;
  for (const name of parseTreePath(path)) {
    if (node?.kind !== 'tree') return undefined;
    node = readDirectory(node.digest, batch).get(name);
  }
  return node;
}

function readDirectory(digest: Digest, batch: TreeBatch): Directory {
  return batch.directory(digest) ?? bug(`tree ${digest} is in the plan but not in the store`);
}
