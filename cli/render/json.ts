// Events for machines: one object a line, with field names that stay. Knows nothing of people.

import type { Event, Outcome, Outputs, PlannedStep, StepRef } from '../../engine/index.ts';
import type { FieldsOf, JsonRecord } from '../records/definitions.ts';
import { LeavingRecords } from '../records/write-records.ts';
import type { Output } from '../terminal/output.ts';
import type { Renderer } from './renderer.ts';
import { WaitingText, type StepText } from './step-text.ts';
import { emptyView, reduce } from './view-model.ts';

export function jsonRenderer(output: Output): Renderer {
  let view = emptyView(performance.now());
  const leaving = new LeavingRecords(output);
  const waiting = new WaitingText();
  return {
    emit(event) {
      if (event.type === 'step-finished')
        leaving.add(waiting.endOf(event.step, (piece) => textRecord(event.step, piece)));
      if (event.type === 'planned') leaving.add(planRecords(event.steps));
      else if (event.type === 'step-output')
        leaving.add(waiting.of(event, (piece) => textRecord(event.step, piece)));
      else leaving.add(eventRecords(event));
      view = reduce(view, event, performance.now());
    },
    stopping: () => undefined,
    async close() {
      await leaving.left();
      return view;
    },
  };
}

/** The records for one event: one, except for a plan, which has one for each step that is not up to date. */
export function eventRecords(event: Event): JsonRecord[] {
  switch (event.type) {
    case 'planned':
      return [...planRecords(event.steps)];
    case 'step-started':
      return [
        { type: event.type, ...stepFields(event.step), expectedMs: event.expectedMs, place: event.place },
      ];
    case 'step-waiting':
      return [{ type: event.type, ...stepFields(event.step), holder: event.holder }];
    case 'step-output':
      return [textRecord(event.step, { text: event.text })];
    case 'step-progress':
      return [
        {
          type: event.type,
          ...stepFields(event.step),
          doneBytes: event.doneBytes,
          totalBytes: event.totalBytes,
        },
      ];
    case 'step-finished':
      return [
        { type: event.type, ...stepFields(event.step), ...outcomeFields(event.outcome), place: event.place },
      ];
    case 'local-source': {
      const { input, folder, tree, workTree } = event;
      return [
        { type: event.type, input, folder, tree, commit: workTree?.commit, isChanged: workTree?.isChanged },
      ];
    }
    case 'notice':
      return [{ type: event.type, message: event.message, ...(event.step && stepFields(event.step)) }];
  }
}

function textRecord(step: StepRef, piece: StepText): JsonRecord {
  return { type: 'step-output', ...stepFields(step), ...piece };
}

/** A plan's summary, and each of its steps that is to be done. */
export function* planRecords(steps: readonly PlannedStep[]): Generator<JsonRecord> {
  const upToDate = steps.filter(({ decision }) => decision === 'up-to-date').length;
  yield { type: 'planned', toDo: steps.length - upToDate, upToDate };
  for (const { step, decision, reason, expectedMs, downloadBytes, failure } of steps)
    if (decision !== 'up-to-date')
      yield {
        type: 'planned-step',
        ...stepFields(step),
        decision,
        reason,
        expectedMs,
        downloadBytes,
        failure,
      };
}

/** How records name a step. */
export function stepFields({
  id,
  name,
  kind,
  target,
}: StepRef): Pick<FieldsOf<'planned-step'>, 'id' | 'name' | 'kind' | 'target'> {
  return { id, name, kind, target };
}

function outcomeFields(outcome: Outcome): Omit<FieldsOf<'step-finished'>, keyof StepRef> {
  switch (outcome.kind) {
    case 'built':
      return {
        outcome: outcome.kind,
        outputs: outputsField(outcome.outputs),
        durationMs: Math.round(outcome.durationMs),
        log: outcome.log,
        incremental: outcome.incremental === true ? true : undefined,
        compileCache: outcome.compileCache,
        remote: outcome.remote,
      };
    case 'substituted':
      return {
        outcome: outcome.kind,
        outputs: outputsField(outcome.outputs),
        durationMs: Math.round(outcome.durationMs),
        signers: outcome.signers,
      };
    case 'reused':
    case 'up-to-date':
      return { outcome: outcome.kind, outputs: outputsField(outcome.outputs) };
    case 'failed':
      return { outcome: outcome.kind, durationMs: Math.round(outcome.durationMs), ...outcome.failure };
    case 'skipped':
      return { outcome: outcome.kind, because: outcome.because };
    case 'cancelled':
      return { outcome: outcome.kind };
  }
}

function outputsField(outputs: Outputs): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, node]) => [
      name,
      node.kind === 'symlink' ? node.target : node.digest,
    ]),
  );
}
