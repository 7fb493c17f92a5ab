// What a plan is made from: the store's records, as the planner may ask for them.

import type { CborValue } from '../../store/base/cbor.ts';
import type { Claim, Lineage, Memo } from '../../store/index.ts';
import type { Presence } from '../content-source.ts';
import type { Outputs } from '../events.ts';
import type { ActionId, DerivationId } from '../model/encode.ts';
import type { Lookup } from './resolve.ts';

/** What the planner may ask. All answers are at hand: none of these waits or reads content. */
export interface PlanFacts {
  /** What a derivation came to, here or elsewhere. */
  memo(derivation: DerivationId): Memo | undefined;
  /** What an action gave, here or elsewhere. */
  claim(action: ActionId): Claim | undefined;
  lineage(name: string): Lineage | undefined;
  description(derivation: DerivationId): CborValue | undefined;
  duration(lineage: string): number | undefined;
  /**
   * Where these outputs are, all of them, as far as can be told without reading them. Of what was left elsewhere the nodes are here,
   * and their files come when something needs them: that is here, too, unless nobody has them any more.
   */
  presence(outputs: Outputs): Presence;
  readonly lookup: Lookup;
}
