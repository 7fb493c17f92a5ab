// What is going on, as a value: events go in, the next state comes out. Pure; renderers draw from it and from nothing
// else.

import type { Event, Failed, Outcome, PlannedStep, StepFinished, StepRef } from '../../engine/index.ts';

type StepId = StepRef['id'];

/** The state of one build as it is shown. Times are milliseconds of one monotonic clock. */
export interface View {
  readonly startedMs: number;
  /** Steps that have to be done, by id. */
  readonly planned: ReadonlyMap<StepId, PlannedStep>;
  /** How many steps there are to do; grows when lost content has to be made again. */
  readonly total: number;
  readonly finished: Readonly<Record<Outcome['kind'], number>>;
  /** In the order in which they were started. */
  readonly running: ReadonlyMap<StepId, RunningStep>;
  readonly failed: readonly FailedStep[];
  readonly skipped: readonly StepRef[];
  /** Expected time of commands that have not finished, as far as it is known. */
  readonly expectedLeftMs: number;
  /** Commands that have not finished and never ran before. */
  readonly unknownLeft: number;
  readonly downloadedBytes: number;
}

export interface RunningStep {
  readonly step: StepRef;
  readonly startedMs: number;
  readonly expectedMs: number | undefined;
  /** Who holds what it waits for, when another process does the same. */
  readonly waitingFor: string | undefined;
  /** The newest line of its log that says something. */
  readonly lastLine: string;
  /** The start of a line whose end has not come yet. */
  readonly openLine: string;
  readonly progress: Progress | undefined;
}

export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
}

export interface FailedStep {
  readonly step: StepRef;
  /** Where the config made it, where that is known. */
  readonly place: string | undefined;
  readonly outcome: Failed;
}

/** The state before anything happened. */
export function emptyView(nowMs: number): View {
  return {
    startedMs: nowMs,
    planned: new Map(),
    total: 0,
    finished: { 'up-to-date': 0, reused: 0, substituted: 0, built: 0, failed: 0, skipped: 0, cancelled: 0 },
    running: new Map(),
    failed: [],
    skipped: [],
    expectedLeftMs: 0,
    unknownLeft: 0,
    downloadedBytes: 0,
  };
}

/** The state after `event`. */
export function reduce(view: View, event: Event, nowMs: number): View {
  switch (event.type) {
    case 'planned':
      return withPlan(view, event.steps);
    case 'step-started':
      return withStarted(view, event.step, { startedMs: nowMs, expectedMs: event.expectedMs });
    case 'step-waiting':
      return withRunning(view, event.step, (running) => ({ ...running, waitingFor: event.holder }));
    case 'step-output':
      return withRunning(view, event.step, (running) => ({
        ...running,
        ...appendOutput(running, event.text),
      }));
    case 'step-progress': {
      const { doneBytes, totalBytes } = event;
      return withRunning(view, event.step, (running) => ({
        ...running,
        progress: { doneBytes, totalBytes },
      }));
    }
    case 'step-finished':
      return withFinished(view, event);
    case 'local-source':
    case 'notice':
      return view;
  }
}

/** Steps that are over, however they ended. */
export function finishedCount({ finished }: View): number {
  const { built, reused, substituted, failed, skipped, cancelled } = finished;
  return built + reused + substituted + failed + skipped + cancelled;
}

/**
 * Time until the end: what is left of the commands, by their last duration, shared among as many as run now. Undefined
 * while too little is known to say.
 */
export function remainingMs(view: View, nowMs: number): number | undefined {
  const commands = [...view.running.values()].filter(({ step }) => step.kind === 'run');
  const known = commands.filter(({ expectedMs }) => expectedMs !== undefined);
  if (view.expectedLeftMs === 0 || view.unknownLeft * 4 > view.total) return undefined;
  const left = known.map(({ startedMs, expectedMs }) => Math.max(0, expectedMs! - (nowMs - startedMs)));
  const worked = known.map(({ expectedMs }, at) => expectedMs! - left[at]!);
  const work = view.expectedLeftMs - sum(worked);
  return Math.max(work / Math.max(1, commands.length), ...left);
}

function withPlan(view: View, steps: readonly PlannedStep[]): View {
  const planned = new Map(view.planned);
  let { total, expectedLeftMs, unknownLeft } = view;
  for (const step of steps) {
    if (step.decision === 'up-to-date' || planned.has(step.step.id)) continue;
    planned.set(step.step.id, step);
    total += 1;
    if (step.step.kind !== 'run') continue;
    expectedLeftMs += step.expectedMs ?? 0;
    unknownLeft += step.expectedMs === undefined ? 1 : 0;
  }
  return { ...view, planned, total, expectedLeftMs, unknownLeft };
}

function withStarted(view: View, step: StepRef, times: Pick<RunningStep, 'startedMs' | 'expectedMs'>): View {
  const running = new Map(view.running);
  running.set(step.id, {
    step,
    ...times,
    waitingFor: undefined,
    lastLine: '',
    openLine: '',
    progress: undefined,
  });
  // Checks and rebuilds of lost content start steps that no plan announced.
  const total = Math.max(view.total, finishedCount(view) + running.size);
  return { ...view, running, total };
}

function withRunning(view: View, step: StepRef, change: (running: RunningStep) => RunningStep): View {
  const before = view.running.get(step.id);
  if (before === undefined) return view;
  return { ...view, running: new Map(view.running).set(step.id, change(before)) };
}

function withFinished(view: View, { step, outcome, place }: StepFinished): View {
  const running = new Map(view.running);
  const progress = running.get(step.id)?.progress;
  running.delete(step.id);
  const expectedMs = step.kind === 'run' ? view.planned.get(step.id)?.expectedMs : undefined;
  const isUnknown =
    step.kind === 'run' && view.planned.get(step.id) !== undefined && expectedMs === undefined;
  return {
    ...view,
    running,
    finished: { ...view.finished, [outcome.kind]: view.finished[outcome.kind] + 1 },
    failed: outcome.kind === 'failed' ? [...view.failed, { step, outcome, place }] : view.failed,
    skipped: outcome.kind === 'skipped' ? [...view.skipped, step] : view.skipped,
    expectedLeftMs: view.expectedLeftMs - (expectedMs ?? 0),
    unknownLeft: view.unknownLeft - (isUnknown ? 1 : 0),
    downloadedBytes: view.downloadedBytes + (hasArrived(outcome) ? (progress?.doneBytes ?? 0) : 0),
  };
}

function hasArrived({ kind }: Outcome): boolean {
  return kind === 'built' || kind === 'substituted';
}

// A carriage return starts the line again, as progress meters do.
function appendOutput(
  { lastLine, openLine }: RunningStep,
  text: string,
): Pick<RunningStep, 'lastLine' | 'openLine'> {
  const lines = (openLine + text).split(/\r\n|\n|\r(?!$)/);
  const open = lines.pop()!.slice(-maxOpenLine);
  const spoken = lines.findLast((line) => line.trim() !== '');
  return { lastLine: spoken ?? lastLine, openLine: open };
}

/** A line that never ends must not be copied for ever. */
const maxOpenLine = 1000;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
