// Builds steps a second time under other conditions and compares: the proof behind "same inputs, same image".
// What the second build gave is kept (unreferenced, until garbage collection) so that it can be looked at.

import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { MissingBlob, sameNode, type Store } from '../store/index.ts';
import { compareNodes, type Difference } from './compare.ts';
import { outputsOfOutcome, type Emit, type Outcome, type Outputs } from './events.ts';
import type { PlaceOf } from './evaluate/places-record.ts';
import type { Executor, Variation } from './execute/executor.ts';
import { failedBecause } from './failure.ts';
import { requestOf } from './perform/perform.ts';
import { stepRef, type Step } from './step.ts';

/** What came of checking one step. */
export type CheckResult =
  | {
      readonly kind: 'identical';
      readonly step: Step;
      readonly outputs: Outputs;
      /** Of the second build. */
      readonly durationMs: number;
    }
  | { readonly kind: 'different'; readonly step: Step; readonly differences: readonly OutputDifference[] }
  | { readonly kind: 'failed'; readonly step: Step; readonly outcome: Outcome };

export interface OutputDifference {
  readonly output: string;
  readonly first: Outputs[string];
  readonly second: Outputs[string];
  readonly paths: readonly Difference[];
}

export interface CheckContext {
  readonly store: Store;
  readonly executor: Executor;
  readonly placeOf?: PlaceOf | undefined;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Conditions as unlike the usual ones as one machine can make them. */
export const otherConditions: Variation = {
  buildFolder: '/another/place/to-build-in',
  uid: 1000,
  umask: 0o077,
  jobs: availableParallelism() > 1 ? 1 : 3,
  processors: 1,
  shuffledReaddir: true,
};

/** Checks one step that runs a command and has been built. @throws MissingBlob when its content, or an input's, is lost. */
export async function checkStep(step: Step, context: CheckContext): Promise<CheckResult> {
  const { store, emit } = context;
  const expectedMs = store.records.duration(step.lineage);
  const place = context.placeOf?.(step.id);
  if (!context.signal.aborted) emit({ type: 'step-started', step: stepRef(step), expectedMs, place });
  const first = store.records.memo(step.id)!.outputs;
  const outcome = await buildAgain(step, context);
  const isFailed = outcome.kind === 'failed';
  emit({ type: 'step-finished', step: stepRef(step), outcome, place: isFailed ? place : undefined });
  const again = outputsOfOutcome(outcome);
  if (again === undefined) return { kind: 'failed', step, outcome };
  const differences = outputDifferences(first, again, store);
  return differences.length === 0
    ? {
        kind: 'identical',
        step,
        outputs: first,
        durationMs: outcome.kind === 'built' ? outcome.durationMs : 0,
      }
    : { kind: 'different', step, differences };
}

/** Where the second outputs of a step are not the first. */
export function outputDifferences(
  first: Outputs,
  again: Outputs,
  { trees }: Pick<Store, 'trees'>,
): OutputDifference[] {
  return Object.entries(again).flatMap(([output, second]): OutputDifference[] => {
    const before = first[output]!;
    return sameNode(before, second)
      ? []
      : [{ output, first: before, second, paths: compareNodes(before, second, trees) }];
  });
}

async function buildAgain(step: Step, { store, executor, emit, signal }: CheckContext): Promise<Outcome> {
  try {
    await secondAfter(recordedAtMs(step, store), signal);
    if (signal.aborted) return { kind: 'cancelled' };
    const request = requestOf(
      step,
      (id) => store.records.memo(id)!.outputs,
      (top, path) => store.trees.lookup(top, path),
    );
    const result = await executor.execute(request, {
      signal,
      variation: otherConditions,
      bringsFiles: true,
      onOutput: (text) => emit({ type: 'step-output', step: stepRef(step), text }),
    });
    if (result.kind === 'cancelled') return result;
    if (result.kind === 'failed') {
      const { reason, message, logTail, logFile, keptFolder, durationMs } = result;
      const hint = 'It was built before, so it depends on a condition that the check changes.';
      return {
        kind: 'failed',
        durationMs,
        failure: { reason, message, hint, code: 'CHECK_FAILED', logTail, logFile, keptFolder },
      };
    }
    await result.batch.commit();
    return { kind: 'built', outputs: result.outputs, durationMs: result.use.durationMs, log: result.log };
  } catch (error) {
    if (error instanceof MissingBlob) throw error;
    return failedBecause(error);
  }
}

function recordedAtMs(step: Step, { records }: Store): number {
  return records.realisation(records.memo(step.id)!.action)?.facts.builtAtMs ?? 0;
}

// A step that writes the time down would else be identical when both builds fall into one second.
async function secondAfter(timeMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && Math.floor(Date.now() / 1000) === Math.floor(timeMs / 1000)) {
    await delay(1000 - (Date.now() % 1000), undefined, { signal }).catch(() => undefined);
  }
}
