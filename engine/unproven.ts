// What was made incrementally and no clean build has given yet. Reads records only.

import { isProven, type Realisation, type Store } from '../store/index.ts';
import type { DerivationId } from './model/encode.ts';
import type { Step, StepSource } from './step.ts';

/** The steps among these and all that they need whose results no clean build has given yet. */
export function unprovenSteps(
  wanted: readonly DerivationId[],
  steps: StepSource,
  { records }: Pick<Store, 'records'>,
): Step[] {
  const seen = new Set(wanted);
  const unproven: Step[] = [];
  // The set is walked while it grows.
  for (const id of seen) {
    const step = steps(id);
    for (const input of step.inputIds) seen.add(input);
    if (step.derivation.kind !== 'run') continue;
    const realisation = realisationOf(step, { records });
    if (realisation !== undefined && !isProven(realisation)) unproven.push(step);
  }
  return unproven;
}

/** What is on record for a step. */
export function realisationOf(step: Step, { records }: Pick<Store, 'records'>): Realisation | undefined {
  const memo = records.memo(step.id);
  return memo === undefined ? undefined : records.realisation(memo.action);
}
