// An explanation as text: what changed itself, field by field or file by file, and the way from there up to what was
// asked for. Reads trees, not files.

import { exactBytes } from '../../store/base/exact-bytes.ts';
import {
  compareNodes,
  isRootCause,
  stepRef,
  type Cause,
  type Change,
  type FieldChange,
  type Foreseen,
  type PlannedStep,
  type Step,
} from '../../engine/index.ts';
import type { CborValue } from '../../store/base/cbor.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Trees } from '../../store/index.ts';
import type { RecordOf } from '../records/definitions.ts';
import { lineChanges } from './line-changes.ts';
import { stepFields } from '../render/json.ts';
import { abbreviate, stepName } from '../render/names.ts';
import { plainLine } from '../render/plain-text.ts';
import type { Style } from '../render/style.ts';
import { formatCount, formatDuration } from '../render/units.ts';

export interface Explanation {
  readonly target: string;
  readonly wanted: Step['id'];
  /** Everything that changed, root causes first. */
  readonly causes: readonly Cause[];
  /** What the next build would do: a changed step whose result is known from elsewhere is not in it. */
  readonly toBuild: Planned;
  /** Those that come out as they were, although something below them changed. */
  readonly asBefore: ReadonlySet<Step['id']>;
  /** Of what is to be done: what can be told of it. */
  readonly foreseen: ReadonlyMap<Step['id'], Pick<Foreseen, 'isDone'>>;
  readonly trees: Pick<Trees, 'get'>;
  readonly style: Style;
}

/** What the next build does. */
export type Planned = ReadonlyMap<Step['id'], Pick<PlannedStep, 'expectedMs'>>;

/** What a target is beside its last build. */
export function stateOf({
  wanted,
  causes,
  toBuild,
}: Pick<Explanation, 'wanted' | 'causes' | 'toBuild'>): RecordOf<'explained'>['state'] {
  if (causes.length > 0) return 'changed';
  return toBuild.has(wanted) ? 'output-missing' : 'up-to-date';
}

export function whyLines(explanation: Explanation): string[] {
  const { target, wanted, causes, toBuild } = explanation;
  const state = stateOf({ wanted, causes, toBuild });
  if (state !== 'changed') {
    return [
      state === 'output-missing'
        ? `nothing changed since ${target} was last built, but its output is gone from the store`
        : `${target} is up to date: nothing changed since it was last built`,
    ];
  }
  const rootCauses = causes.filter(isRootCause);
  const changed = rootCauses.filter(({ changes }) => changes !== undefined);
  const fresh = rootCauses.filter(({ changes }) => changes === undefined);
  return causeLines({ ...explanation, changed, fresh });
}

export interface ShownCauses
  extends
    Pick<Explanation, 'causes' | 'toBuild' | 'trees' | 'style'>,
    Partial<Pick<Explanation, 'asBefore' | 'foreseen'>> {
  readonly changed: readonly Cause[];
  readonly fresh: readonly Cause[];
  /** What is said of a step that changed, and of those that stand in nobody's place. */
  readonly words?: { readonly changed: string; readonly fresh: string };
}

const usualWords = { changed: 'changed', fresh: 'never built before' };

/** What changed itself, what is new, and what follows. */
export function causeLines(shown: ShownCauses): string[] {
  const { changed, fresh, trees, style, words = usualWords } = shown;
  return [
    ...changed.flatMap((cause) => [...changedLines(cause, { trees, style, verb: words.changed }), '']),
    ...(fresh.length === 0 ? [] : [...freshLines(fresh, style, words.fresh), '']),
    ...consequenceLines(shown),
    ...asBeforeLines(shown),
  ].slice(0, -1);
}

/** How the target is, for machines. */
export function explainedRecord(
  { target, wanted, causes }: Pick<Explanation, 'target' | 'wanted' | 'causes'>,
  toBuild: Planned,
): RecordOf<'explained'> {
  const known = [...toBuild.values()].flatMap(({ expectedMs }) => expectedMs ?? []);
  return {
    type: 'explained',
    target,
    id: wanted,
    state: stateOf({ wanted, causes, toBuild }),
    toDo: toBuild.size,
    ...(known.length > 0 && { expectedMs: known.reduce((sum, ms) => sum + ms, 0) }),
  };
}

/** Each cause for machines. */
export function causeRecord(
  cause: Cause,
  planned: Pick<PlannedStep, 'failure' | 'expectedMs'> | undefined,
  isAsBefore = false,
): RecordOf<'cause'> {
  return {
    type: 'cause',
    root: isRootCause(cause),
    ...stepFields(stepRef(cause.step)),
    toDo: planned !== undefined,
    ...(isAsBefore && { asBefore: true }),
    expectedMs: planned?.expectedMs,
    changes: cause.changes?.map(changeRecord),
    failure: planned?.failure,
  };
}

function changeRecord(change: Change): NonNullable<RecordOf<'cause'>['changes']>[number] {
  return change.kind === 'input'
    ? change
    : { ...change, before: plainValue(change.before), after: plainValue(change.after) };
}

function changedLines(
  { step, changes = [] }: Cause,
  { trees, style, verb }: Pick<Explanation, 'trees' | 'style'> & { readonly verb: string },
): string[] {
  const fields = changes.filter((change) => change.kind === 'field');
  return [
    `${style.bold(stepName(stepRef(step)))} ${verb}:`,
    ...fields.flatMap((change) =>
      step.derivation.kind === 'local' && change.path === 'content'
        ? fileLines(change, trees, style)
        : fieldLines(change, style),
    ),
  ];
}

// A folder that changed, file by file, as far as the store still knows what it held.
function fileLines(change: FieldChange, trees: Pick<Trees, 'get'>, style: Style): string[] {
  const [before, after] = [change.before, change.after].map((digest) => digest as Digest);
  if ([before, after].some((digest) => digest === undefined || trees.get(digest) === undefined))
    return fieldLines(change, style);
  const differences = compareNodes(
    { kind: 'tree', digest: before! },
    { kind: 'tree', digest: after! },
    trees,
  );
  const more = differences.length - mostFiles;
  return [
    ...differences.slice(0, mostFiles).map(({ path, before, after }) => {
      if (before === undefined) return style.good(`  + ${plainLine(path)}`);
      return after === undefined ? style.bad(`  - ${plainLine(path)}`) : `  ~ ${plainLine(path)}`;
    }),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function freshLines(fresh: readonly Cause[], style: Style, words: string): string[] {
  const names = fresh.map(({ step }) => stepName(stepRef(step)));
  return [`${style.bold(`${words}:`)} ${abbreviate(names, 12)}`];
}

function fieldLines({ path, before, after }: FieldChange, style: Style): string[] {
  const [old, young] = [plainValue(before), plainValue(after)];
  if (typeof old === 'string' && typeof young === 'string' && /\n./.test(old + young)) {
    return [
      `  ${style.accent(path)}`,
      ...lineChanges(old, young).map((line) => `    ${colourOf(line, style)(plainLine(line))}`),
    ];
  }
  return [`  ${style.accent(path)}: ${style.bad(shown(old))} → ${style.good(shown(young))}`];
}

function colourOf(line: string, style: Style): (text: string) => string {
  return line.startsWith('-') ? style.bad : line.startsWith('+') ? style.good : style.dim;
}

const mostFiles = 20;
const mostConsequences = 100;
const deepestIndent = 20;

// From each step that changed upwards: a line for every step that follows, indented below what it follows from.
function consequenceLines({
  changed,
  causes,
  toBuild,
  asBefore = none,
  foreseen = nothing,
  style,
}: ShownCauses): string[] {
  const following = causes.filter((cause) => isRootCause(cause) || !asBefore.has(cause.step.id));
  if (asBefore.size > 0 && following.every((cause) => isRootCause(cause) && !toBuild.has(cause.step.id)))
    return [];
  const followers = followersAmong(following);
  const shown = new Set<Step['id']>();
  const lines: string[] = [];
  const pending = changed.map(({ step }) => ({ step, depth: 0 })).reverse();
  for (let line = pending.pop(); line !== undefined; line = pending.pop()) {
    const { step, depth } = line;
    const next = followers.get(step.id) ?? [];
    const isAgain = shown.has(step.id);
    const note = isAgain && next.length > 0 ? ' (see above)' : noteOn(step, { toBuild, foreseen });
    const indent = '  '.repeat(Math.min(depth, deepestIndent) + 1);
    lines.push(`${indent}${depth === 0 ? '' : '→ '}${stepName(stepRef(step))}${style.dim(note)}`);
    if (!isAgain) pending.push(...next.map((step) => ({ step, depth: depth + 1 })).reverse());
    shown.add(step.id);
  }
  if (lines.length === 0) return [];
  const more = lines.length - mostConsequences;
  return [
    style.bold('so these follow:'),
    ...lines.slice(0, mostConsequences),
    ...(more > 0 ? [`  and ${more} more; --json has all of them`] : []),
    '',
  ];
}

function noteOn(step: Step, { toBuild, foreseen }: Pick<Explanation, 'toBuild' | 'foreseen'>): string {
  const planned = toBuild.get(step.id);
  if (planned === undefined) return ' (its result is there already)';
  // Those after it are done only if something else comes out of it.
  if (step.derivation.kind !== 'run' || foreseen.get(step.id)?.isDone !== true) return '';
  const took = planned.expectedMs === undefined ? '' : `, ${formatDuration(planned.expectedMs)} last time`;
  return ` (is run${took})`;
}

// Early cutoff: of steps without number that read some of a large source, a few have anything to do.
function asBeforeLines({ causes, asBefore = none, style }: ShownCauses): string[] {
  const same = causes.filter((cause) => !isRootCause(cause) && asBefore.has(cause.step.id));
  if (same.length === 0) return [];
  // Commands are what one would have waited for.
  const isCommand = ({ step }: Cause): boolean => step.derivation.kind === 'run';
  const named = [...same.filter(isCommand), ...same.filter((cause) => !isCommand(cause))];
  const names = abbreviate(
    named.map(({ step }) => stepName(stepRef(step))),
    4,
  );
  const [come, are] = same.length === 1 ? ['comes', 'is'] : ['come', 'are'];
  return [
    `${style.bold(`${formatCount(same.length, 'step')} ${come} out as before`)} and ${are} not run: ${names}`,
    '',
  ];
}

const none: ReadonlySet<Step['id']> = new Set();
const nothing: Explanation['foreseen'] = new Map();

// What is new follows from nothing: it is there because something that was there before asks for it.
function followersAmong(causes: readonly Cause[]): ReadonlyMap<Step['id'], Step[]> {
  const followers = new Map<Step['id'], Step[]>(causes.map(({ step }) => [step.id, []]));
  for (const { step } of causes) {
    for (const input of new Set(step.inputIds)) followers.get(input)?.push(step);
  }
  return followers;
}

function plainValue(value: CborValue | undefined): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const text = Buffer.from(value).toString('utf8');
  return text.includes('\ufffd') ? exactBytes(value.length) : text;
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = plainLine(text);
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
