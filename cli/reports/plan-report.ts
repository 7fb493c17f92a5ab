// What a build would do, and why: the answer of `cairn build --dry-run`. Pure but for writing it.

import { plannedSteps, type Plan, type PlannedStep } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { writeManyRecords } from '../records/write-records.ts';
import { planRecords } from '../render/json.ts';
import { describeReason, stepName } from '../render/names.ts';
import { foreseenLines } from './foreseen.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../render/units.ts';
import { writeAsTheyLeave } from '../terminal/output.ts';

/** The status is that of the build, as far as it can be told beforehand. */
export async function showPlan({ out, shared }: Context, plan: Plan): Promise<ExitCode> {
  const steps = plannedSteps(plan);
  if (shared.json === true) await writeManyRecords(out, planRecords(steps));
  else await writeAsTheyLeave(out, [...planLines(steps), ...foreseenLines(steps, out.style)]);
  return steps.some(({ failure }) => failure !== undefined) ? exitCodes.buildFailed : exitCodes.ok;
}

/** Commands, downloads and archives, and of the rest what changed itself: those are where the work comes from. */
export function planLines(steps: readonly PlannedStep[]): string[] {
  const toDo = steps.filter(({ decision }) => decision !== 'up-to-date');
  if (toDo.length === 0) return ['everything is up to date'];
  const shown = toDo.filter((planned) => !isInstant(planned) || planned.reason.kind === 'changed');
  const rows = shown.map(({ step, reason, expectedMs }) => [
    stepName(step),
    expectedMs === undefined || step.kind !== 'run' ? '' : formatDuration(expectedMs),
    describeReason(reason),
  ]);
  return [...tableLines(rows, ['left', 'right']), summary(toDo)];
}

function summary(toDo: readonly PlannedStep[]): string {
  const of = (kinds: readonly PlannedStep['step']['kind'][]): readonly PlannedStep[] =>
    toDo.filter(({ step }) => kinds.includes(step.kind));
  const [commands, downloads] = [of(['run']), of(['fetch'])];
  const knownMs = sumOf(commands.map(({ expectedMs }) => expectedMs));
  const downloadBytes = sumOf(downloads.map((planned) => planned.downloadBytes));
  const facts = [
    [commands, '', 'command'],
    [downloads, downloadBytes === 0 ? '' : ` (${formatBytes(downloadBytes)})`, 'download'],
    [of(['unpack']), '', 'archive to unpack', 'archives to unpack'],
    [of(['compose', 'write', 'local']), '', 'small step'],
  ] as const;
  const parts = facts.flatMap(([steps, more, one, many]) =>
    steps.length === 0 ? [] : [formatCount(steps.length, one, many) + more],
  );
  const time = knownMs === 0 ? '' : `; the commands took ${formatDuration(knownMs)} of work the last time`;
  // What was built before with other inputs is not built again when these turn out to be the same after all.
  const most = toDo.some(({ reason }) => reason.kind === 'input-changed') ? ', at most' : '';
  return `to do${most}: ${parts.join(', ')}${time}`;
}

function sumOf(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

function isInstant({ step }: PlannedStep): boolean {
  return step.kind === 'compose' || step.kind === 'write' || step.kind === 'local';
}
