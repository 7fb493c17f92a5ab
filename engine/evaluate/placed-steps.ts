// Steps with their lineages: what is known of a step beside its description, for an evaluation that was just made and for
// one that was kept. Pure.

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
export function placed(
  { id, derivation, inputIds, content }: Omit<Step, 'lineage'>,
  lineageOf: LineageOf,
): Step {
  const step = { id, derivation, inputIds, ...(content !== undefined && { content }) };
  return { ...step, lineage: lineageOf(step) };
}

/** The step of a local folder. */
export function localStep(source: LocalSource, lineageOf: LineageOf): Step {
  const { id, content } = source;
  return placed({ id, derivation: localOf(source), inputIds: [] as DerivationId[], content }, lineageOf);
}
