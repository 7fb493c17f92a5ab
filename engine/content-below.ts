// What hangs below nodes: blobs, and directories that are not there. Reads Merkle nodes only.

import { digestSize, type Digest } from '../store/base/digest.ts';
import type { BlobNode, Directory, Node, TreeNode } from '../store/index.ts';

/** Each digest once. A tree among them is one whose directory is not there, so that nothing is known of what it holds. */
export function* contentBelow(
  nodes: Iterable<Node>,
  directoryOf: (digest: Digest) => Directory | undefined,
): Generator<BlobNode | TreeNode> {
  const seen = new Set<Digest>();
  const pending = [...nodes];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'symlink' || seen.has(node.digest)) continue;
    seen.add(node.digest);
    const directory = node.kind === 'tree' ? directoryOf(node.digest) : undefined;
    if (directory === undefined) yield node;
    else pending.push(...directory.values());
  }
}

/** What these take together. */
export function totalSize(digests: Iterable<Digest>): number {
  let sizeBytes = 0;
  for (const digest of digests) sizeBytes += digestSize(digest);
  return sizeBytes;
}

/** Size of all files below, equal ones counted once. */
export function filesSize(
  nodes: Iterable<Node>,
  directoryOf: (digest: Digest) => Directory | undefined,
): number {
  let sizeBytes = 0;
  for (const { kind, digest } of contentBelow(nodes, directoryOf))
    if (kind === 'blob') sizeBytes += digestSize(digest);
  return sizeBytes;
}
