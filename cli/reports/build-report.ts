// What a build made, target by target: what it is called, what it is, how much it holds, and of what it was put together.

import type { BuildReport, CompileCacheCounts, Outcome } from '../../engine/index.ts';
import { digestHash } from '../../store/base/digest.ts';
import { isProven, type Node } from '../../store/index.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import type { JsonRecord, RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';
import { failureLines } from '../render/failures.ts';
import { compileCacheWords } from '../render/compile-cache-words.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../render/units.ts';
import type { View } from '../render/view-model.ts';
import type { FoundOutput } from '../project/named-outputs.ts';
import { conflictLines, conflictRecords } from './push-report.ts';
import { sizeOf } from './tree-size.ts';

export interface BuildResults {
  readonly project: Project;
  readonly wanted: readonly FoundOutput[];
  readonly report: BuildReport;
  readonly view: View | undefined;
  readonly elapsedMs: number;
}

/** Failures go to standard error; results, one line for each target, to standard output. */
export function showResults(context: Context, results: BuildResults): void {
  if (context.shared.json === true) {
    writeRecords(context.out, [
      ...resultRecords(results),
      ...conflictRecords(results.report.conflicts),
      doneRecord(results),
    ]);
    return;
  }
  const { err, out } = context;
  const { view } = results;
  if (view !== undefined) err.lines([...failureLines(view, err.style), ...doneLines(view, results)]);
  err.lines(conflictLines(results.report.conflicts));
  for (const target of results.wanted) {
    const node = nodeOf(results, target);
    if (node === undefined) continue;
    out.lines([targetLine(context, results, target, node)]);
    if (wasMade(results, target)) out.lines(partLines(results.project, target));
  }
}

function resultRecords(results: BuildResults): JsonRecord[] {
  const { wanted, project } = results;
  return wanted.map((target): RecordOf<'target'> => {
    const node = nodeOf(results, target);
    const { key, id, output } = target;
    if (node === undefined) return { type: 'target', target: key, id, output, state: 'failed' };
    const content = node.kind === 'symlink' ? {} : { digest: node.digest };
    const size = sizeOf(node, project.store.trees);
    return {
      type: 'target',
      target: key,
      id,
      output,
      state: stateOf(results, target),
      kind: node.kind,
      ...content,
      incremental: isUnproven(project, id) ? true : undefined,
      ...size,
    };
  });
}

function doneRecord({ report, elapsedMs }: BuildResults): RecordOf<'done'> {
  return {
    type: 'done',
    ok: report.ok,
    elapsedMs: Math.round(elapsedMs),
    buildersCpuMs: Math.round(report.buildersCpuMs),
    compileCache: compileCacheCounts(report),
  };
}

function targetLine(
  { out: { style } }: Context,
  results: BuildResults,
  target: FoundOutput,
  node: Node,
): string {
  const { files, sizeBytes } = sizeOf(node, results.project.store.trees);
  const part = target.output === 'out' ? '' : ` (${target.output})`;
  const state = stateOf(results, target);
  const time =
    state === 'up-to-date' ? 'up to date' : `${stateWords[state]} in ${formatDuration(results.elapsedMs)}`;
  const how = isUnproven(results.project, target.id) ? ', incrementally' : '';
  const facts = [
    ...(node.kind === 'symlink' ? [] : [digestHash(node.digest).slice(0, 16)]),
    ...(node.kind === 'tree' ? [formatCount(files, 'file')] : []),
    formatBytes(sizeBytes),
  ];
  return `${style.bold(target.key)}${part}  ${facts.join('  ')}  ${style.good(`${time}${how}`)}`;
}

type State = Extract<Outcome['kind'], 'up-to-date' | 'reused' | 'substituted' | 'built'>;
const stateWords: Readonly<Record<State, string>> = {
  'up-to-date': 'up to date',
  reused: 'same as before, found',
  substituted: 'taken from a cache',
  built: 'built',
};

function stateOf({ report }: BuildResults, { id }: FoundOutput): State {
  const kind = report.outcomes.get(id)?.kind;
  return kind === 'built' || kind === 'reused' || kind === 'substituted' ? kind : 'up-to-date';
}

// What is made of it needs no such mark: it is addressed by what it is.
function isUnproven({ store: { records } }: Project, id: FoundOutput['id']): boolean {
  const memo = records.memo(id);
  const realisation = memo && records.realisation(memo.action);
  return realisation !== undefined && !isProven(realisation);
}

function wasMade(results: BuildResults, target: FoundOutput): boolean {
  return stateOf(results, target) !== 'up-to-date';
}

function nodeOf({ report }: BuildResults, { id, output }: FoundOutput): Node | undefined {
  return report.outputs.get(id)?.[output];
}

// What a composed target is made of, as far as its parts are outputs of the flake with something to say of themselves.
function partLines(project: Project, { id }: FoundOutput): string[] {
  const { derivation, inputIds } = project.evaluation.steps(id);
  if (derivation.kind !== 'compose') return [];
  const described = new Map([...project.evaluation.outputs.values()].map((output) => [output.id, output]));
  const rows = derivation.parts.flatMap(({ input }, at): string[][] => {
    const part = described.get(inputIds[at]!);
    const node = project.store.records.memo(inputIds[at]!)?.outputs[input.output];
    if (part?.description === undefined || node === undefined) return [];
    const { files, sizeBytes } = sizeOf(node, project.store.trees);
    return [[`  ${part.name}`, formatCount(files, 'file'), formatBytes(sizeBytes), part.description]];
  });
  return rows.length < 2 ? [] : tableLines(rows, ['left', 'right', 'right']);
}

function doneLines({ finished }: View, { elapsedMs, report }: BuildResults): string[] {
  const words = [
    [finished.built, 'built'],
    [finished.substituted, 'taken from caches'],
    [finished.reused, 'the same as before'],
    [finished.failed, 'failed'],
    [finished.skipped, 'not tried'],
    [finished.cancelled, 'ended early'],
  ] as const;
  const facts = words.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]));
  const counts = compileCacheCounts(report);
  return [
    ...(facts.length === 0 ? [] : [`${facts.join(', ')} in ${formatDuration(elapsedMs)}`]),
    ...(counts === undefined ? [] : [compileCacheWords(counts)]),
  ];
}

// Of all steps that were done with one.
function compileCacheCounts({ outcomes }: BuildReport): CompileCacheCounts | undefined {
  const all = [...outcomes.values()].flatMap((outcome) =>
    outcome.kind === 'built' && outcome.compileCache !== undefined ? [outcome.compileCache] : [],
  );
  if (all.length === 0) return undefined;
  const sum = (one: keyof CompileCacheCounts): number =>
    all.reduce((total, counts) => total + counts[one], 0);
  return { hits: sum('hits'), misses: sum('misses') };
}
