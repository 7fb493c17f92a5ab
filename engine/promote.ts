// Clean builds of what was made incrementally: the proof that keeping folders changed nothing. What a clean build gives as
// well is promoted, and counts like anything else; what it does not is disowned.

import { MissingBlob, sameNode, type Batch, type Realisation } from '../store/index.ts';
import { outputDifferences, type CheckContext, type CheckResult } from './check.ts';
import { filesSize } from './content-below.ts';
import { disown } from './disown.ts';
import type { Outcome } from './events.ts';
import { failedBecause } from './failure.ts';
import { requestOf } from './perform/perform.ts';
import { runFailure } from './perform/run-failure.ts';
import { stepRef, type Step } from './step.ts';
import { realisationOf } from './unproven.ts';

/**
 * Builds one such step cleanly, and records what came of it. Nobody else may be building it.
 * @throws MissingBlob when its content, or an input's, is lost
 */
export async function promoteStep(step: Step, context: CheckContext): Promise<CheckResult> {
  const { store, emit, signal } = context;
  const incremental = realisationOf(step, store)!;
  const { action, outputs: first } = incremental.claim;
  const expectedMs = store.records.duration(step.lineage);
  const place = context.placeOf?.(step.id);
  if (!signal.aborted) emit({ type: 'step-started', step: stepRef(step), expectedMs, place });
  const { outcome, batch, facts } = await buildCleanly(step, context);
  try {
    emit({ type: 'step-finished', step: stepRef(step), outcome, place });
    if (outcome.kind !== 'built') {
      // What cannot be built from nothing is wrong, and not only unproven.
      if (outcome.kind === 'failed' && outcome.failure.reason.kind === 'exit')
        await disown(step, action, store);
      return { kind: 'failed', step, outcome };
    }
    const second = outcome.outputs;
    const isSame = Object.keys(first).every((name) => sameNode(first[name]!, second[name]!));
    if (!isSame) await disown(step, action, store);
    await batch!.commit((records) => {
      records.putRealisation({ claim: { ...incremental.claim, outputs: second }, facts: facts! });
      if (!isSame) records.putMemo({ derivation: step.id, action, outputs: second });
    });
    return isSame
      ? { kind: 'identical', step, outputs: first, durationMs: outcome.durationMs }
      : { kind: 'different', step, differences: outputDifferences(first, second, store) };
  } finally {
    await batch?.discard();
  }
}

interface CleanBuild {
  readonly outcome: Outcome;
  readonly batch?: Batch;
  readonly facts?: Realisation['facts'];
}

async function buildCleanly(
  step: Step,
  { store, executor, emit, signal }: CheckContext,
): Promise<CleanBuild> {
  try {
    if (signal.aborted) return { outcome: { kind: 'cancelled' } };
    const request = requestOf(
      step,
      (id) => store.records.memo(id)!.outputs,
      (top, path) => store.trees.lookup(top, path),
    );
    const onOutput = (text: string): void => emit({ type: 'step-output', step: stepRef(step), text });
    const result = await executor.execute(request, { signal, onOutput });
    if (result.kind === 'cancelled') return { outcome: result };
    if (result.kind === 'failed') return { outcome: runFailure(step, result) };
    const { batch, outputs, log, use } = result;
    const facts = {
      ...realisationOf(step, store)!.facts,
      ...use,
      log,
      incremental: undefined,
      builtAtMs: Date.now(),
      sizeBytes: filesSize(Object.values(outputs), (digest) => batch.directory(digest)),
    };
    return { outcome: { kind: 'built', outputs, durationMs: use.durationMs, log }, batch, facts };
  } catch (error) {
    if (error instanceof MissingBlob) throw error;
    return { outcome: failedBecause(error) };
  }
}
