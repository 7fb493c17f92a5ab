// A store's records, as the planner asks for them.

import type { Node, Store } from '../../store/index.ts';
import type { PlanFacts } from './facts.ts';

/** All answers are the store's of the moment when they are asked for. */
export function storeFacts({ records, trees, blobs }: Store): PlanFacts {
  const has = (node: Node): boolean =>
    node.kind === 'symlink' ||
    (node.kind === 'tree' ? trees.get(node.digest) !== undefined : blobs.has(node.digest));
  return {
    memo: (id) => records.memo(id),
    realisation: (action) => records.realisation(action),
    lineage: (name) => records.lineage(name),
    description: (id) => records.description(id),
    duration: (lineage) => records.duration(lineage),
    hasOutputs: (outputs) => Object.values(outputs).every(has),
    lookup: (root, path) => trees.lookup(root, path),
  };
}
