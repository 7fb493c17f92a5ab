// A store's records, as the planner asks for them.

import type { Digest } from '../../store/base/digest.ts';
import type { Claim, Memo, Node, Store } from '../../store/index.ts';
import type { Presence } from '../content-source.ts';
import type { Outputs } from '../events.ts';
import { leftIn } from '../lost-content.ts';
import type { PlanFacts } from './facts.ts';

/** What others have made, as far as it is known by now: nobody is asked. */
export interface KnownElsewhere {
  memo(derivation: Digest): { readonly memo: Memo } | undefined;
  claim(action: Digest): { readonly claim: Claim } | undefined;
  mayBeHad(digest: Digest): boolean;
  /** True when nobody has what was left elsewhere. */
  isGone(digest: Digest): boolean;
  /** Content that is wondered about is likely to be found in these. */
  lookIn(outputs: Iterable<Outputs>): void;
}

/** All answers are the store's of the moment when they are asked for; what it does not know may be known elsewhere. */
export function storeFacts(store: Store, elsewhere?: KnownElsewhere): PlanFacts {
  const { records, trees, blobs, left } = store;
  /** What was left elsewhere of each tree, when it was first looked through: a tree of which all is here stays so. */
  const leftBelow = new Map<Digest, ReadonlySet<Digest>>();
  const isTreeGone = (tree: Digest): boolean => {
    if (elsewhere === undefined || !left.any()) return false;
    let known = leftBelow.get(tree);
    if (known === undefined) {
      known = leftIn([{ kind: 'tree', digest: tree }], store);
      leftBelow.set(tree, known);
      if (known.size > 0) elsewhere.lookIn([{ out: { kind: 'tree', digest: tree } }]);
    }
    // All are asked about, so that one question is enough.
    return [...known].filter((digest) => left.has(digest) && elsewhere.isGone(digest)).length > 0;
  };
  const presenceOf = (node: Node): Presence => {
    if (node.kind === 'symlink') return 'here';
    if (node.kind === 'tree' && trees.get(node.digest) !== undefined)
      return isTreeGone(node.digest) ? 'lost' : 'here';
    if (node.kind === 'blob' && blobs.has(node.digest)) return 'here';
    if (left.has(node.digest)) return elsewhere?.isGone(node.digest) === true ? 'lost' : 'here';
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
