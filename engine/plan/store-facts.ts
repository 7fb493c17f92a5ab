// A store's records, as the planner asks for them.

import type { Digest } from '../../store/base/digest.ts';
import type { Node, Store } from '../../store/index.ts';
import type { Presence } from '../content-source.ts';
import type { PlanFacts } from './facts.ts';

/**
 * All answers are the store's of the moment when they are asked for.
 * @param mayBeHad what is known of content that the store does not have; nothing, when not given
 */
export function storeFacts(
  { records, trees, blobs }: Store,
  mayBeHad: (digest: Digest) => boolean = () => false,
): PlanFacts {
  const presenceOf = (node: Node): Presence => {
    if (node.kind === 'symlink') return 'here';
    const isHere = node.kind === 'tree' ? trees.get(node.digest) !== undefined : blobs.has(node.digest);
    if (isHere) return 'here';
    return mayBeHad(node.digest) ? 'to-be-had' : 'lost';
  };
  return {
    memo: (id) => records.memo(id),
    realisation: (action) => records.realisation(action),
    lineage: (name) => records.lineage(name),
    description: (id) => records.description(id),
    duration: (lineage) => records.duration(lineage),
    presence: (outputs) => {
      const all = new Set(Object.values(outputs).map(presenceOf));
      return all.has('lost') ? 'lost' : all.has('to-be-had') ? 'to-be-had' : 'here';
    },
    lookup: (top, path) => trees.lookup(top, path),
  };
}
