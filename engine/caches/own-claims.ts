// What others made and a second build here gave as well is this machine's own claim from then on: it may sign it.

import type { Realisation, Store } from '../../store/index.ts';
import type { CheckResult } from '../check.ts';
import type { Step } from '../step.ts';
import { realisationOf } from '../unproven.ts';

/** The steps among these results that others had made, and that are this machine's now as well. */
export async function ownIdentical(
  results: readonly CheckResult[],
  store: Store,
  builder: string,
): Promise<readonly Step[]> {
  const own = results.flatMap((result): { step: Step; realisation: Realisation }[] => {
    if (result.kind !== 'identical') return [];
    const found = realisationOf(result.step, store);
    if (found?.facts.signers === undefined) return [];
    const { durationMs } = result;
    const realisation = {
      ...found,
      facts: { ...found.facts, signers: undefined, builder, durationMs, builtAtMs: Date.now() },
    };
    return [{ step: result.step, realisation }];
  });
  if (own.length > 0)
    await store.records.update((records) => {
      for (const { realisation } of own) records.putRealisation(realisation);
    });
  return own.map(({ step }) => step);
}
