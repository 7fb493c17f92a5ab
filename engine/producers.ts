// Which steps made a piece of content that got lost: those have to be run again. Reads only Merkle nodes and memos.

import type { Digest } from '../store/base/digest.ts';
import type { Node, Store } from '../store/index.ts';
import type { DerivationId } from './model/encode.ts';
import type { StepSource } from './step.ts';

/**
 * The steps among `ids` and below them through which the content `missing` came into being: the steps that wrote it,
 * and the compositions that carry it (those cost nothing to do again, and would name stale content if a rebuilt step
 * gave something else).
 */
export function producersOf(
  ids: Iterable<DerivationId>,
  missing: Digest,
  { store, steps }: { readonly store: Store; readonly steps: StepSource },
): Set<DerivationId> {
  const producers = new Set<DerivationId>();
  const pending = [...ids];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const outputs = store.records.memo(id)?.outputs;
    if (producers.has(id) || outputs === undefined) continue;
    if (!Object.values(outputs).some((node) => holds(node, missing, store))) continue;
    producers.add(id);
    const step = steps(id);
    if (step.derivation.kind === 'compose') pending.push(...step.inputIds);
  }
  return producers;
}

/** True when the node is, or has below it, the blob or directory `digest`. A directory that is gone may hold anything. */
function holds(root: Node, digest: Digest, store: Store): boolean {
  const pending: Node[] = [root];
  const seen = new Set<Digest>();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'symlink') continue;
    if (node.digest === digest) return true;
    if (node.kind === 'blob' || seen.has(node.digest)) continue;
    seen.add(node.digest);
    const directory = store.trees.get(node.digest);
    if (directory === undefined) return true;
    pending.push(...directory.values());
  }
  return false;
}
