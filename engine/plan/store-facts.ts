// A store's records, as the planner asks for them.

import type { Digest } from '../../store/base/digest.ts';
import type { Claim, Memo, Node, Store } from '../../store/index.ts';
import type { Presence } from '../content-source.ts';
import type { PlanFacts } from './facts.ts';

/** What others have made, as far as it is known by now: nobody is asked. */
export interface KnownElsewhere {
  memo(derivation: Digest): { readonly memo: Memo } | undefined;
  claim(action: Digest): { readonly claim: Claim } | undefined;
  mayBeHad(digest: Digest): boolean;
}

/** All answers are the store's of the moment when they are asked for; what it does not know may be known elsewhere. */
export function storeFacts({ records, trees, blobs }: Store, elsewhere?: KnownElsewhere): PlanFacts {
  const presenceOf = (node: Node): Presence => {
    if (node.kind === 'symlink') return 'here';
    const isHere = node.kind === 'tree' ? trees.get(node.digest) !== undefined : blobs.has(node.digest);
    if (isHere) return 'here';
    return elsewhere?.mayBeHad(node.digest) === true ? 'to-be-had' : 'lost';
  };
  return {
    memo: (id) => records.memo(id) ?? elsewhere?.memo(id)?.memo,
    claim: (action) => records.realisation(action)?.claim ?? elsewhere?.claim(action)?.claim,
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
