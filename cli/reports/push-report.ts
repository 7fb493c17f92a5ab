// What is said of results that a push leaves where they are, and of those that others have made otherwise: once of each.

import type { CheaperStep, Conflict, PushedBehind } from '../../engine/caches/index.ts';
import { stepRef, type Difference } from '../../engine/index.ts';
import type { Node } from '../../store/index.ts';
import type { Context } from '../context.ts';
import type { RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';
import { plainLine } from '../render/plain-text.ts';
import { stepFields } from '../render/json.ts';
import { stepName } from '../render/names.ts';
import { formatBytes, formatCount, formatDuration } from '../render/units.ts';

/** Of a push beside something else: standard output has that one's result. */
export function tellPushed(
  { out, err, shared }: Context,
  { cache, report, told }: Told & { readonly cache: string; readonly report: PushedBehind },
): void {
  const { steps, contents, records, sentBytes, cheaper } = report;
  const conflicts = report.conflicts.filter((one) => !told.some((other) => isSame(one, other)));
  if (shared.json === true)
    writeRecords(out, [
      ...cheaperRecords(cheaper),
      ...conflictRecords(conflicts),
      { type: 'pushed', cache, steps, contents, records, sentBytes },
    ]);
  else
    err.lines([
      ...cheaperLines(cheaper),
      ...conflictLines(conflicts),
      `${cache} has ${formatCount(steps, 'step')} of it, and took ${formatBytes(sentBytes)}`,
    ]);
}

interface Told {
  /** What has been said before. */
  readonly told: readonly Conflict[];
}

function isSame(a: Conflict, b: Conflict): boolean {
  return a.step.id === b.step.id && a.output === b.output && nodeText(a.there) === nodeText(b.there);
}

export function cheaperLines(cheaper: readonly CheaperStep[]): string[] {
  return cheaper.map(
    ({ step, durationMs, sizeBytes }) =>
      `not pushed: ${stepName(stepRef(step))} is sooner made again (${formatDuration(durationMs)}) than moved (${formatBytes(sizeBytes)})`,
  );
}

type CheaperRecord = { readonly type: 'not-pushed'; readonly why: 'cheaper-to-make' } & ReturnType<
  typeof stepFields
>;

export function cheaperRecords(cheaper: readonly CheaperStep[]): CheaperRecord[] {
  return cheaper.map(({ step }) => ({
    type: 'not-pushed',
    ...stepFields(stepRef(step)),
    why: 'cheaper-to-make',
  }));
}

export function conflictLines(conflicts: readonly Conflict[]): string[] {
  return conflicts.flatMap(({ step, output, here, there, signers, paths = [] }) => [
    `not reproducible: ${stepName(stepRef(step))} (${output}) is ${nodeText(here)} here, and ${nodeText(there)} by ${signers.join(', ')}; what is here counts`,
    ...paths.map(
      (path) => `  ${changeOf(path)} ${plainLine(path.path === '' ? '(the file itself)' : path.path)}`,
    ),
  ]);
}

export function conflictRecords(
  conflicts: readonly Conflict[],
): ({ type: 'conflict' } & RecordOf<'conflict'>)[] {
  return conflicts.map(({ step, output, here, there, signers, paths }) => ({
    type: 'conflict',
    ...stepFields(stepRef(step)),
    output,
    here: nodeText(here),
    there: nodeText(there),
    signers: [...signers],
    paths: paths?.map(({ path }) => path),
  }));
}

function changeOf({ before, after }: Difference): string {
  if (before === undefined) return '+';
  return after === undefined ? '-' : '~';
}

function nodeText(node: Node | undefined): string {
  if (node === undefined) return 'nothing';
  return node.kind === 'symlink' ? `a link to ${node.target}` : node.digest;
}
