// Steps with their lineages: what is known of a step beside its description, for an evaluation that was just made and for
// one that was kept. Pure.

import type { Digest } from '../../store/base/digest.ts';
import type { Derivation } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Lineage, Step } from '../step.ts';
import type { LocalSource } from './evaluation.ts';
import type { EvaluatedTarget } from './evaluation-record.ts';
import { localOf } from './import-locals.ts';
import { lineagePrefix, plainLineage } from './lineages.ts';

export type LineageOf = (step: Omit<Step, 'lineage'>) => Lineage;

/** Finds the lineage of any step of a config. */
export function lineagesFor(configPath: string, parts: readonly EvaluatedTarget[]): LineageOf {
  const prefix = lineagePrefix(configPath);
  const shared = new Map<string, Lineage>(parts.flatMap(({ lineages }) => Object.entries(lineages)));
  return (step) => shared.get(step.id) ?? plainLineage(prefix, step);
}

/** The step as the rest of the engine knows it. */
export function placed(step: Omit<Step, 'lineage'>, lineageOf: LineageOf): Step {
  return new PlacedStep(step, lineageOf);
}

// A plan has a hundred thousand of them, and asks few for their lineage.
class PlacedStep implements Step {
  readonly id: DerivationId;
  readonly derivation: Derivation;
  readonly inputIds: readonly DerivationId[];
  declare readonly content?: Digest;
  readonly #lineageOf: LineageOf;

  constructor({ id, derivation, inputIds, content }: Omit<Step, 'lineage'>, lineageOf: LineageOf) {
    this.id = id;
    this.derivation = derivation;
    this.inputIds = inputIds;
    if (content !== undefined) this.content = content;
    this.#lineageOf = lineageOf;
  }

  get lineage(): Lineage {
    return this.#lineageOf(this);
  }
}

/** The step of a local folder. */
export function localStep(source: LocalSource, lineageOf: LineageOf): Step {
  const { id, content } = source;
  return placed({ id, derivation: localOf(source), inputIds: [] as DerivationId[], content }, lineageOf);
}
