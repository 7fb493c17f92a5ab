// A derivation with its id and the ids of its inputs: what the graph, the planner and the scheduler pass around. Pure.

import type { Digest } from '../store/base/digest.ts';
import type { StepRef } from './events.ts';
import { inputsOf, type Derivation, type Input } from './model/derivation.ts';
import type { DerivationId } from './model/encode.ts';

export interface Step {
  readonly id: DerivationId;
  readonly derivation: Derivation;
  /** The ids of `inputsOf(derivation)`, in the same order. */
  readonly inputIds: readonly DerivationId[];
  /** What a local folder was found to hold: the digest of its tree. */
  readonly content?: Digest;
  /** Histories (durations, last inputs) are kept under it. */
  readonly lineage: Lineage;
}

/** Names the successive versions of one derivation of one config. Unique in a store; means nothing to people. */
export type Lineage = string & { readonly __lineage: unique symbol };

/** Finds the step with an id; ids come from an evaluation, so there always is one. */
export type StepSource = (id: DerivationId) => Step;

/** Every input of a step beside the id of the step that gives it. */
export function* stepInputs(
  step: Pick<Step, 'derivation' | 'inputIds'>,
): Generator<{ readonly id: DerivationId; readonly input: Input }> {
  const inputs = inputsOf(step.derivation);
  for (const [at, input] of inputs.entries()) yield { id: step.inputIds[at]!, input };
}

/** How events name a step. */
export function stepRef({ id, derivation }: Step): StepRef {
  return {
    id,
    name: derivation.name,
    kind: derivation.kind,
    target: derivation.kind === 'run' ? derivation.target : undefined,
  };
}

/** A step as a person may name it; several steps of one flake may have the same. */
export function stepLabel(derivation: Derivation): string {
  return derivation.kind === 'run'
    ? `${derivation.name}@${derivation.target}`
    : `${derivation.kind}:${derivation.name}`;
}
