// The `compose` and `write` kinds: trees → tree on Merkle nodes only. No file is read or copied; equal subtrees are
// recognised by their digest, so the cost is proportional to what differs.

import picomatch from 'picomatch';
import { UserError } from '../../store/base/errors.ts';
import { parseTreePath, type Directory, type Node, type TreeNode } from '../../store/index.ts';
import type { Compose, ComposePart, FileContent, Write } from '../model/derivation.ts';
import {
  DraftMerge,
  emptyFolder,
  entriesOf,
  isFolder,
  placedAt,
  sealed,
  type DraftNode,
  type TreeBatch,
} from './draft-tree.ts';

export type { TreeBatch } from './draft-tree.ts';

interface PlacedPart {
  readonly label: string;
  readonly node: DraftNode;
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
  const parts = derivation.parts.map((part): PlacedPart => {
    const node = partNode(derivation.name, nodeOf(part), { part, batch });
    return { label: part.input.derivation.name, node: placeAt(derivation.name, node, part) };
  });
  const merge = new DraftMerge(batch);
  let merged: DraftNode = emptyFolder;
  for (const part of parts)
    merged = merge.overlay(merged, part.node, (path, _, above) => {
      if (derivation.conflicts === 'later-wins') return above;
      throw conflict(derivation.name, path, firstWith(path, parts, batch), part.label);
    });
  return sealed(merged, batch);
}

/**
 * The tree of a `write` derivation.
 * @throws UserError `COMPOSE_CONFLICT` for a file below a file.
 */
export function writeTree({ name, files }: Write, batch: TreeBatch): Node {
  const merge = new DraftMerge(batch);
  let merged: DraftNode = emptyFolder;
  for (const [path, content] of Object.entries(files)) {
    const file = placedAt(parseTreePath(path), fileNode(content, batch));
    merged = merge.overlay(merged, file, (at) => {
      throw conflict(name, at, 'another file', path);
    });
  }
  return sealed(merged, batch);
}

interface Part {
  readonly part: ComposePart;
  readonly batch: TreeBatch;
}

// What a part brings: what its globs leave of it, or a file that says its digest.
function partNode(owner: string, node: Node, { part, batch }: Part): DraftNode {
  if (part.as === undefined) return filterNode(node, part, batch);
  if (node.kind === 'symlink')
    throw new UserError(
      'PATH_INVALID',
      `${owner}: ${part.input.derivation.name} is a symlink, which has no digest`,
      {
        hint: 'Take the digest of a file or a folder.',
      },
    );
  return fileNode({ text: `${node.digest}\n` }, batch);
}

function conflict(owner: string, path: string, first: string, second: string): UserError {
  return new UserError(
    'COMPOSE_CONFLICT',
    `${owner}: ${first} and ${second} bring different content to ${path}`,
    {
      hint: `Leave it out of one of them with exclude: ['${path}'], or state the order with conflicts: 'later-wins'.`,
    },
  );
}

function firstWith(path: string, parts: readonly PlacedPart[], batch: TreeBatch): string {
  return parts.find(({ node }) => has(node, parseTreePath(path), batch))?.label ?? 'another part';
}

function has(top: DraftNode, path: readonly string[], batch: TreeBatch): boolean {
  let node: DraftNode | undefined = top;
  for (const name of path) {
    if (node === undefined || !isFolder(node)) return false;
    node = entriesOf(node, batch).get(name);
  }
  return node !== undefined;
}

// What a part's globs leave of it. Where they change nothing, the node stays as it is.
function filterNode(node: Node, part: ComposePart, batch: TreeBatch): DraftNode {
  if (node.kind !== 'tree' || (part.include.length === 0 && part.exclude.length === 0)) return node;
  const options = { dot: true };
  const isExcluded = picomatch([...part.exclude], options);
  const isIncluded = part.include.length === 0 ? (): boolean => true : picomatch([...part.include], options);
  const filter = (tree: TreeNode, path: string): DraftNode => {
    const entries = entriesOf(tree, batch) as Directory;
    const kept = new Map<string, DraftNode>();
    for (const [name, child] of entries) {
      const left = filterChild(child, path === '' ? name : `${path}/${name}`);
      if (left !== undefined) kept.set(name, left);
    }
    const isWhole =
      kept.size === entries.size && [...kept].every(([name, left]) => left === entries.get(name));
    return isWhole ? tree : { kind: 'folder', entries: kept };
  };
  const filterChild = (child: Node, path: string): DraftNode | undefined => {
    if (isExcluded(path)) return undefined;
    if (child.kind !== 'tree') return isIncluded(path) ? child : undefined;
    const left = isIncluded(path) && part.exclude.length === 0 ? child : filter(child, path);
    // A folder that is empty only because of the filter goes too.
    return left.kind === 'folder' && left.entries.size === 0 ? undefined : left;
  };
  return filter(node, '');
}

function placeAt(owner: string, node: DraftNode, part: ComposePart): DraftNode {
  if (part.at === '' && !isFolder(node)) {
    throw new UserError(
      'PATH_INVALID',
      `${owner}: ${part.input.derivation.name} is a file, and files need a place`,
      {
        hint: "Say where it goes with at: 'path/of/the/file'.",
      },
    );
  }
  return placedAt(parseTreePath(part.at), node);
}

function fileNode(content: FileContent, batch: TreeBatch): Node {
  if ('symlink' in content) return { kind: 'symlink', target: content.symlink };
  const executable = content.executable ?? false;
  const bytes = 'text' in content ? Buffer.from(content.text) : content.bytes;
  return { kind: 'blob', digest: batch.addBytes(bytes, executable), executable };
}
