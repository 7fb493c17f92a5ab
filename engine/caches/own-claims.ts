// What others made and a second build here gave as well is this machine's own from then on: it may sign it. So is what the step
// comes to, once that was found out here.

import type { Memo, Realisation, Store } from '../../store/index.ts';
import type { CheckResult } from '../check.ts';
import { resolveStep } from '../plan/resolve.ts';
import type { Step } from '../step.ts';
import { realisationOf } from '../unproven.ts';

interface Own {
  readonly step: Step;
  readonly memo: Memo;
  readonly realisation: Realisation;
}

/** The steps among these results that others had made, and that are this machine's now as well. */
export async function ownIdentical(
  results: readonly CheckResult[],
  store: Store,
  builder: string,
): Promise<readonly Step[]> {
  const own = results.flatMap((result) => (result.kind === 'identical' ? ownOf(result, store, builder) : []));
  if (own.length > 0)
    await store.records.update((records) => {
      for (const { memo, realisation } of own) {
        records.putRealisation(realisation);
        records.putMemo(memo);
      }
    });
  return own.map(({ step }) => step);
}

function ownOf(
  { step, durationMs }: Extract<CheckResult, { kind: 'identical' }>,
  { records, trees }: Store,
  builder: string,
): Own[] {
  const found = realisationOf(step, { records });
  const memo = records.memo(step.id);
  if (found === undefined || memo === undefined) return [];
  const isTaken = found.facts.signers !== undefined;
  if (!isTaken && records.signed(step.id).length === 0) return [];
  // Which action it is was their word: it was not what has just been built, if it says another.
  const { action } = resolveStep(
    step,
    (id) => records.memo(id)!.outputs,
    (top, path) => trees.lookup(top, path),
  );
  if (action !== memo.action) return [];
  const facts = { ...found.facts, signers: undefined, builder, durationMs, builtAtMs: Date.now() };
  return [{ step, memo, realisation: isTaken ? { ...found, facts } : found }];
}
