// Records as they are after something was built, without a store: for tests of what is planned from them.

import { digestOf, type Digest } from '../../store/base/digest.ts';
import type { CborValue } from '../../store/base/cbor.ts';
import type { Outputs } from '../../engine/events.ts';
import { outputsOf, type Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import { stepRecord } from '../../engine/plan/explain.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { resolveStep } from '../../engine/plan/resolve.ts';
import { stepSource } from './steps.ts';
import { madeRealisation } from './realisations.ts';

/** Facts of a store in which nothing was ever built. */
export const nothingKnown: PlanFacts = {
  memo: () => undefined,
  claim: () => undefined,
  lineage: () => undefined,
  description: () => undefined,
  duration: () => undefined,
  presence: () => 'lost',
  lookup: () => undefined,
};

/** Outputs that are told apart by a text. */
export function contentOf(text: string, names: readonly string[] = ['out']): Outputs {
  const digest = (name: string): Digest => digestOf(Buffer.from(name === 'out' ? text : `${text} ${name}`));
  return Object.fromEntries(names.map((name) => [name, { kind: 'tree', digest: digest(name) }]));
}

/** Facts as they are after `built` was built, each output's content being given by `content`. */
export function factsAfter(
  built: Derivation | undefined,
  content: (name: string) => string = (name) => name,
): PlanFacts {
  const memos = new Map<DerivationId, { derivation: Digest; action: Digest; outputs: Outputs }>();
  const actions = new Map<Digest, Outputs>();
  const lineages = new Map<string, { derivation: Digest; action: Digest }>();
  const descriptions = new Map<Digest, CborValue>();
  const lookup = (): undefined => undefined;
  const visit = (derivation: Derivation): void => {
    const { steps, idOf } = stepSource(derivation);
    const step = steps(idOf(derivation));
    for (const input of step.inputIds) visit(steps(input).derivation);
    const { action } = resolveStep(step, (id) => memos.get(id)!.outputs, lookup);
    const outputs = contentOf(content(derivation.name), outputsOf(derivation));
    memos.set(step.id, { derivation: step.id, action, outputs });
    actions.set(action, outputs);
    lineages.set(step.lineage, { derivation: step.id, action });
    descriptions.set(step.id, stepRecord(step));
  };
  if (built !== undefined) visit(built);
  return {
    memo: (id) => memos.get(id),
    claim: (action) => {
      const outputs = actions.get(action);
      return outputs && madeRealisation(action, outputs).claim;
    },
    lineage: (name) => lineages.get(name),
    description: (id) => descriptions.get(id),
    duration: () => undefined,
    presence: () => 'here',
    lookup,
  };
}
