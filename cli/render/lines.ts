// The lines that stay: what a log of the build has to say about one event. Pure; knows no terminal.

import type { LocalSourceUsed, Outcome, StepFinished } from '../../engine/index.ts';
import type { Event } from '../../engine/index.ts';
import { compileCacheWords } from './compile-cache-words.ts';
import { stepName } from './names.ts';
import { plainLine } from './plain-text.ts';
import type { Style } from './style.ts';
import { formatBytes, formatDuration } from './units.ts';
import type { View } from './view-model.ts';

export interface LineOptions {
  readonly style: Style;
  /** Also say what starts, and that sources came in: for logs, where nothing else shows it. */
  readonly complete: boolean;
}

/** Lines for `event`; `view` is the state before it. */
export function eventLines(event: Event, view: View, options: LineOptions): string[] {
  const { style, complete } = options;
  switch (event.type) {
    case 'step-started':
      return complete && event.step.kind === 'run' ? [started(event.step, event.expectedMs, style)] : [];
    case 'step-waiting':
      return complete
        ? [`${style.dim('waiting')} ${stepName(event.step)}: ${plainLine(event.holder)} is at it`]
        : [];
    case 'step-finished':
      return finishedLines(event, view, options);
    case 'local-source':
      return [localSource(event, style)];
    case 'notice':
      return [`${style.warn('note')} ${plainLine(event.message)}`];
    case 'planned':
    case 'step-output':
    case 'step-progress':
      return [];
  }
}

function localSource({ input, folder, workTree }: LocalSourceUsed, style: Style): string {
  const commit = workTree === undefined ? 'no commit known' : `commit ${workTree.commit.slice(0, 12)}`;
  const since =
    workTree?.isChanged === undefined ? '' : workTree.isChanged ? ', changed since' : ', unchanged';
  return `${style.warn('local')} ${plainLine(input)} is the folder ${plainLine(folder)} (${commit}${since})`;
}

function started(step: StepFinished['step'], expectedMs: number | undefined, style: Style): string {
  const expected =
    expectedMs === undefined ? '' : style.dim(` (took ${formatDuration(expectedMs)} last time)`);
  return `${style.dim('start')} ${stepName(step)}${expected}`;
}

function finishedLines(
  { step, outcome }: StepFinished,
  view: View,
  { style, complete }: LineOptions,
): string[] {
  const name = stepName(step);
  switch (outcome.kind) {
    case 'built':
      return showsSuccess(step.kind, complete)
        ? [`${style.good(builtWord(step.kind))} ${name} ${style.dim(amount(step, outcome, view))}`]
        : [];
    case 'failed':
      return [
        `${style.bad('failed')} ${name} ${style.dim(`(${formatDuration(outcome.durationMs)})`)}: ${plainLine(outcome.failure.message)}`,
      ];
    case 'skipped':
      return complete && step.kind === 'run'
        ? [`${style.warn('skip')} ${name}: needs ${outcome.because.map(plainLine).join(', ')}`]
        : [];
    case 'substituted':
      return showsSuccess(step.kind, complete)
        ? [`${style.good('taken')} ${name} ${style.dim(takenFrom(outcome.signers))}`]
        : [];
    case 'up-to-date':
    case 'reused': // counted at the end: a small change may come to the same in thousands of steps
    case 'cancelled':
      return [];
  }
}

function takenFrom(signers: readonly string[]): string {
  return signers.length === 0 ? '(from a cache)' : `(made by ${signers.map(plainLine).join(', ')})`;
}

// Steps on Merkle nodes take microseconds and come in thousands: counted at the end, never listed.
function showsSuccess(kind: StepFinished['step']['kind'], complete: boolean): boolean {
  return kind === 'run' || (complete && (kind === 'fetch' || kind === 'unpack'));
}

function builtWord(kind: StepFinished['step']['kind']): string {
  return kind === 'run' ? 'built' : 'done';
}

function amount(
  step: StepFinished['step'],
  outcome: Extract<Outcome, { kind: 'built' }>,
  view: View,
): string {
  const progress = view.running.get(step.id)?.progress;
  const size = progress === undefined ? '' : `${formatBytes(progress.doneBytes)}, `;
  const how = outcome.incremental === true ? ', incrementally' : '';
  const { compileCache, remote } = outcome;
  const where = remote === undefined ? '' : `, on ${plainLine(remote.worker ?? remote.executor)}`;
  const answered = compileCache === undefined ? '' : `, ${compileCacheWords(compileCache)}`;
  return `(${size}${formatDuration(outcome.durationMs)}${how}${where}${answered})`;
}
