// Steps for engine tests, made straight from derivations, without a config or a store.

import { inputsOf, run, type Derivation } from '../../engine/model/derivation.ts';
import { derivationIdOf, type DerivationId } from '../../engine/model/encode.ts';
import { stepRecord } from '../../engine/plan/explain.ts';
import { stepLabel, type Lineage, type Step, type StepSource } from '../../engine/step.ts';

/** The step of a derivation, and those of everything below it, added to `known`. */
export function stepOf(derivation: Derivation, known = new Map<DerivationId, Step>()): Step {
  const inputIds = inputsOf(derivation).map((input) => stepOf(input.derivation, known).id);
  const id = derivationIdOf(stepRecord({ derivation, inputIds }));
  const step: Step = { id, derivation, inputIds, lineage: stepLabel(derivation) as Lineage };
  known.set(step.id, step);
  return step;
}

/** A step as no evaluation would give it: with ids of the test's own choice. */
export function stepWith(id: string, derivation: Derivation, inputIds: readonly string[] = []): Step {
  return {
    id: id as DerivationId,
    derivation,
    inputIds: inputIds as readonly DerivationId[],
    lineage: stepLabel(derivation) as Lineage,
  };
}

/** A source over the closure of some derivations. */
export function stepSource(...derivations: readonly Derivation[]): {
  steps: StepSource;
  idOf: (derivation: Derivation) => DerivationId;
} {
  const known = new Map<DerivationId, Step>();
  for (const derivation of derivations) stepOf(derivation, known);
  return { steps: (id) => known.get(id)!, idOf: (derivation) => stepOf(derivation).id };
}

/** A `run` derivation that needs the given ones. */
export function command(name: string, ...needs: readonly Derivation[]): Derivation {
  return run({ name, layers: needs, argv: ['/bin/build', name] });
}
