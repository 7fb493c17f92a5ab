// Trees of this very process that its store does not have yet: what describes an output, beside the output itself.

import type { Digest } from '../base/digest.ts';
import type { ContentReader } from '../caches/cache.ts';
import { MissingBlob, type Store } from '../store.ts';
import { emptyTree, type Node } from '../trees/tree.ts';

/** Brings what is not here of these into the store. @throws MissingBlob */
export async function takeTrees(tops: readonly Node[], from: ContentReader, store: Store): Promise<void> {
  const isHere = ({ kind, digest }: Exclude<Node, { kind: 'symlink' }>): boolean =>
    kind === 'tree'
      ? digest === emptyTree.digest || store.trees.get(digest) !== undefined
      : store.blobs.has(digest);
  const pending = tops.flatMap((node) => (node.kind === 'tree' && !isHere(node) ? [node.digest] : []));
  if (pending.length === 0) return;
  const batch = store.begin({ isWhole: true });
  try {
    const seen = new Set<Digest>();
    for (const digest of pending) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      const directory = from.directory(digest);
      if (directory === undefined) throw new MissingBlob(digest);
      batch.addDirectory(directory);
      for (const node of directory.values()) {
        if (node.kind === 'symlink' || isHere(node)) continue;
        if (node.kind === 'tree') pending.push(node.digest);
        else batch.addBytes(await from.read(node.digest));
      }
    }
    await batch.commit();
  } catch (error) {
    await batch.discard();
    throw error;
  }
}
