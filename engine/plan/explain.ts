// What changed between two versions of a derivation, field by field, and which change is the root cause. Pure: it
// compares the very records that ids are made of, so that explaining and hashing cannot drift apart.

import type { CborValue } from '../../store/base/cbor.ts';
import { parseDigest } from '../../store/base/digest.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import type { Reason } from '../events.ts';
import type { Input } from '../model/derivation.ts';
import { derivationRecord, isBesideTheAction, type DerivationId, type RecordValue } from '../model/encode.ts';
import { stepInputs, type Step, type StepSource } from '../step.ts';
import type { PlanFacts } from './facts.ts';

/** A field of a derivation's record that is not what it was. */
export type Change = FieldChange | InputChange;
export interface FieldChange {
  readonly kind: 'field';
  /** Such as `env.CFLAGS` or `argv[2]`. */
  readonly path: string;
  /** Undefined when the field was not there. */
  readonly before: CborValue | undefined;
  readonly after: CborValue | undefined;
}
export interface InputChange {
  readonly kind: 'input';
  readonly path: string;
  readonly before: DerivationId;
  readonly after: DerivationId;
}

/** A step that is not what it was when it was last built, and what about it changed. */
export interface Cause {
  readonly step: Step;
  /** Absent when nothing of this lineage was ever built. */
  readonly changes: readonly Change[] | undefined;
  /** The version that it is compared with. */
  readonly former?: DerivationId;
}

/** What steps are compared with: their own earlier versions, or those of somebody else. */
export interface FormerVersions {
  /** The version of a step that stood in place of no other; undefined when there is none. */
  readonly formerOf: (step: Step) => DerivationId | undefined;
  readonly description: (id: DerivationId) => CborValue | undefined;
}

/** A derivation's full record with its inputs written as `[id, output, subpath]`. */
export function stepRecord(step: Omit<Step, 'id' | 'lineage'>): RecordValue {
  const references = new Map<Input, CborValue>();
  for (const { id, input } of stepInputs(step)) references.set(input, [id, input.output, input.subpath]);
  return derivationRecord(step.derivation, (input) => references.get(input)!, step.content);
}

/** The reason a changed derivation is built, in short: its own fields if any changed, else its inputs. */
export function changesBetween(
  before: DerivationId,
  step: Step,
  facts: Pick<PlanFacts, 'description'>,
): Reason {
  const record = facts.description(before);
  if (record === undefined) return { kind: 'changed', fields: [] };
  const changes = diffRecords(record, facts.description(step.id) ?? stepRecord(step));
  const fields = changes.filter((change) => change.kind === 'field').map((change) => change.path);
  if (fields.length > 0) return { kind: 'changed', fields };
  const changed = new Set(changes.map((change) => (change as InputChange).after));
  const inputs = [...stepInputs(step)]
    .filter(({ id }) => changed.has(id))
    .map(({ input }) => input.derivation.name);
  return { kind: 'input-changed', inputs: [...new Set(inputs)] };
}

/**
 * Every step in the closure of `wanted` that is not what it was when that was last built, root causes first: a step whose
 * own fields changed is a root cause, one that only has changed inputs is a consequence. None when it is up to date without ever having been asked for: another config has built the very same.
 */
export function explain(
  wanted: DerivationId,
  steps: StepSource,
  facts: Pick<PlanFacts, 'memo' | 'presence' | 'lineage' | 'description'>,
): Cause[] {
  if (isBuiltElsewhere(steps(wanted), facts)) return [];
  return compareVersions(wanted, steps, {
    formerOf: ({ lineage }) => facts.lineage(lineage)?.derivation as DerivationId | undefined,
    description: facts.description,
  });
}

/** Every step in the closure of `wanted` that is not the version that it is compared with, root causes first. */
export function compareVersions(wanted: DerivationId, steps: StepSource, versions: FormerVersions): Cause[] {
  const causes: Cause[] = [];
  const seen = new Set<DerivationId>();
  const pending: Version[] = [{ id: wanted, before: undefined }];
  for (let version = pending.pop(); version !== undefined; version = pending.pop()) {
    if (seen.has(version.id)) continue;
    seen.add(version.id);
    const found = causeOf(version, steps, versions);
    if (found === undefined) continue;
    causes.push(found.cause);
    pending.push(...found.inputs);
  }
  return rootsFirst(causes);
}

/** Root causes before what only follows from them. */
function rootsFirst(causes: readonly Cause[]): Cause[] {
  return [...causes.filter(isRootCause), ...causes.filter((cause) => !isRootCause(cause))];
}

function isBuiltElsewhere(
  { id, lineage }: Step,
  facts: Pick<PlanFacts, 'memo' | 'presence' | 'lineage'>,
): boolean {
  const built = facts.lineage(lineage) === undefined ? facts.memo(id) : undefined;
  return built !== undefined && facts.presence(built.outputs) !== 'lost';
}

/** A step, and the one that stood in its place; undefined: whatever was last built of its lineage. */
interface Version {
  readonly id: DerivationId;
  readonly before: DerivationId | undefined;
}

/** True when the step itself changed, not only what it is made from. */
export function isRootCause(cause: Cause): boolean {
  return cause.changes === undefined || cause.changes.some((change) => change.kind === 'field');
}

/** True for a change that makes another derivation, and the same action. */
export function isBeside({ derivation }: Step, { path }: Change): boolean {
  return isBesideTheAction(derivation, /^[^.[]*/.exec(path)![0]);
}

/** All differences between two records, in the order of the fields. */
export function diffRecords(
  before: CborValue | undefined,
  after: CborValue | undefined,
  path = '',
): Change[] {
  const [oldReference, newReference] = [referencedId(before), referencedId(after)];
  if (oldReference !== undefined && newReference !== undefined) {
    const rest = diffLists((before as CborValue[]).slice(1), (after as CborValue[]).slice(1), path);
    if (oldReference === newReference) return rest;
    return [{ kind: 'input', path, before: oldReference, after: newReference }, ...rest];
  }
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, path);
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) =>
      diffRecords(ownMember(before, key), ownMember(after, key), path === '' ? key : `${path}.${key}`),
    );
  }
  return sameScalar(before, after) ? [] : [{ kind: 'field', path, before, after }];
}

// What changed about one step, and those of its inputs that were not there before as they are now.
function causeOf(
  { id, before }: Version,
  steps: StepSource,
  { formerOf, description }: FormerVersions,
): { readonly cause: Cause; readonly inputs: readonly Version[] } | undefined {
  const step = steps(id);
  const former = before ?? formerOf(step);
  if (former === id) return undefined;
  const record = former === undefined ? undefined : description(former);
  const changes = former === undefined ? undefined : diffRecords(record, description(id) ?? stepRecord(step));
  const kept = new Set(referencesIn(record));
  const replaced = new Map(
    (changes ?? []).flatMap((change) => (change.kind === 'input' ? [[change.after, change.before]] : [])),
  );
  const inputs = [...new Set(step.inputIds)].filter((input) => !kept.has(input));
  return {
    cause: { step, changes, ...(former !== undefined && { former }) },
    inputs: inputs.map((input) => ({ id: input, before: replaced.get(input) })),
  };
}

function diffLists(before: readonly CborValue[], after: readonly CborValue[], path: string): Change[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, at) => diffRecords(before[at], after[at], `${path}[${at}]`)).flat();
}

// References are the only three-part lists that start with a digest.
function referencedId(value: CborValue | undefined): DerivationId | undefined {
  if (!Array.isArray(value) || value.length !== 3 || typeof value[0] !== 'string') return undefined;
  return parseDigest(value[0]) as DerivationId | undefined;
}

export function* referencesIn(value: CborValue | undefined): Generator<DerivationId> {
  const id = referencedId(value);
  if (id !== undefined) yield id;
  else if (Array.isArray(value)) for (const item of value as CborValue[]) yield* referencesIn(item);
  else if (isMap(value)) for (const item of Object.values(value)) yield* referencesIn(item);
}

function isMap(value: CborValue | undefined): value is { readonly [key: string]: CborValue | undefined } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function sameScalar(a: CborValue | undefined, b: CborValue | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}
