// What a cache knows of a target, and why it is not what this machine wants: who is not trusted, or the first step whose own fields
// differ from those of the edition there that is closest. Takes nothing, and writes nothing.

import { type Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import {
  decodeSignedRecord,
  describeFailure,
  editionSubject,
  isGenuine,
  type SignedRecord,
  type Trust,
} from '../../store/caches/index.ts';
import { formatPublicKey, type Cache, type Directory, type Edition } from '../../store/index.ts';
import type { DerivationId, RecordValue } from '../model/encode.ts';
import { compareVersions, isRootCause, type Cause } from '../plan/explain.ts';
import { stepLabel, type Step, type StepSource } from '../step.ts';
import { readEditionTree, type Edited } from './edition-tree.ts';
import { refusalOf, type Refusal } from './refusal.ts';
import { TrustedRecords } from './trusted-records.ts';

export interface AgainstOptions {
  /** `NAME@TARGET` of what is asked about, then those of other outputs that are made from it. */
  readonly names: readonly string[];
  readonly steps: StepSource;
  readonly cache: Cache;
  readonly trust: Trust;
  readonly takesAnyKey: boolean;
  readonly signal: AbortSignal;
}

/** An edition in a cache, and whose word it is. */
export interface FoundEdition {
  readonly edition: Edition;
  /** The name of a trusted key, or a key. */
  readonly signer: string;
  readonly isTrusted: boolean;
}

export type Against =
  /** What is wanted is there, and counts. */
  | { readonly kind: 'there'; readonly signers: readonly string[] }
  /** Its records are there and count, and its content is not. */
  | { readonly kind: 'content-gone'; readonly signers: readonly string[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The very same was built there, and was not worth moving. */
  | { readonly kind: 'left-out'; readonly found: FoundEdition }
  | {
      readonly kind: 'differs';
      readonly found: FoundEdition;
      /** How many editions of the name there are. */
      readonly editions: number;
      /** Root causes first; what was before is what it is there. */
      readonly causes: readonly Cause[];
      /** Of local folders there. */
      readonly directory: (digest: Digest) => Directory | undefined;
    }
  /** Nothing is there by that name: of so many steps that are wanted, it has results. */
  | { readonly kind: 'unknown'; readonly results: number };

/** The newest are looked at. */
const mostCompared = 10;

/** @throws UserError `CACHE_FAILED` when the cache cannot be asked */
export async function compareWithCache(wanted: DerivationId, options: AgainstOptions): Promise<Against> {
  const { cache, signal } = options;
  try {
    return await compared(wanted, options);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    throw new UserError('CACHE_FAILED', `${cache.name} cannot be asked: ${describeFailure(error)}`, {
      hint: 'Look whether its URL is right, whether it can be reached from here, and whether it lets you in.',
      fault: 'environment',
      cause: error,
    });
  }
}

async function compared(wanted: DerivationId, options: AgainstOptions): Promise<Against> {
  const { names, cache, signal, steps } = options;
  const about = new Set([wanted, ...names.map(editionSubject)]);
  const heard = await heardOf(about, options);
  const known = await ofWanted(wanted, heard, options);
  if (known !== undefined) return known;
  const found = names
    .map((name) => editionsIn(heard.signed, name, options))
    .find((editions) => editions.length > 0);
  if (found === undefined) return { kind: 'unknown', results: await resultsOf(wanted, options) };
  const same = found.find(({ edition }) => edition.derivation === wanted);
  if (same !== undefined) return { kind: 'left-out', found: same };
  const candidates: Difference[] = [];
  for (const one of found.slice(0, mostCompared)) {
    const edited = await readEditionTree(one.edition, cache, signal);
    if (edited === undefined) continue;
    const causes = differences(wanted, steps, {
      edition: one.edition,
      edited,
      isOwn: one.edition.name === names[0],
    });
    if (causes?.length === 0) return { kind: 'left-out', found: one };
    if (causes !== undefined) candidates.push({ found: one, edited, causes });
  }
  const closest = candidates.sort((a, b) => distance(a) - distance(b))[0];
  if (closest === undefined) return { kind: 'unknown', results: await resultsOf(wanted, options) };
  return {
    kind: 'differs',
    found: closest.found,
    editions: found.length,
    causes: closest.causes,
    directory: (digest) => closest.edited.directories.get(digest),
  };
}

interface Heard {
  readonly signed: readonly SignedRecord[];
  readonly trusted: TrustedRecords;
}

async function heardOf(subjects: ReadonlySet<Digest>, options: AgainstOptions): Promise<Heard> {
  const { cache, trust, takesAnyKey, signal } = options;
  const trusted = new TrustedRecords(trust, () => undefined);
  const records = [...(await cache.records(subjects, signal))];
  const signed = (): SignedRecord[] => records.flatMap((bytes) => decodeSignedRecord(bytes) ?? []);
  const actions = signed().flatMap(({ statement }) =>
    statement.kind === 'memo' && subjects.has(statement.memo.derivation) ? [statement.memo.action] : [],
  );
  if (actions.length > 0) records.push(...(await cache.records(new Set(actions), signal)));
  trusted.add(records.map((bytes) => ({ bytes, takesAnyKey })));
  return { signed: signed(), trusted };
}

// What is said of the very derivation that is wanted.
async function ofWanted(
  wanted: DerivationId,
  { signed, trusted }: Heard,
  { cache, trust, signal }: AgainstOptions,
): Promise<Against | undefined> {
  const memo = trusted.memo(wanted);
  if (memo === undefined) {
    const refusal = refusalOf(wanted, signed, trust);
    return refusal && { kind: 'refused', refusal };
  }
  const { signers } = memo.found;
  const nodes = Object.values(memo.memo.outputs).filter((node) => node.kind !== 'symlink');
  const tops = new Set(nodes.map(({ digest }) => digest));
  const has = await cache.has(tops, tops, signal);
  return { kind: [...tops].every((top) => has.has(top)) ? 'there' : 'content-gone', signers };
}

/** The editions of a name: the newest first, and those by keys that are trusted alone, where there are any. */
function editionsIn(
  signed: readonly SignedRecord[],
  name: string,
  { trust, takesAnyKey }: AgainstOptions,
): FoundEdition[] {
  const names = new Map(trust.keys.map((key) => [hex(key.bytes), key.name]));
  const found = signed.flatMap((record): FoundEdition[] => {
    const { statement, key } = record;
    if (statement.kind !== 'edition' || statement.edition.name !== name || !isGenuine(record)) return [];
    const known = names.get(hex(key));
    const signer = known ?? formatPublicKey({ name: 'unknown', bytes: key });
    return [{ edition: statement.edition, signer, isTrusted: known !== undefined || takesAnyKey }];
  });
  const trusted = found.filter(({ isTrusted }) => isTrusted);
  const unique = new Map(
    (trusted.length > 0 ? trusted : found).map((one) => [
      `${one.edition.derivation} ${one.edition.descriptions}`,
      one,
    ]),
  );
  return [...unique.values()].sort((a, b) => b.edition.builtAtMs - a.edition.builtAtMs);
}

interface Difference {
  readonly found: FoundEdition;
  readonly edited: Edited;
  readonly causes: readonly Cause[];
}

// How much somebody would have to undo.
function distance({ causes }: Difference): number {
  return causes
    .filter(isRootCause)
    .reduce((sum, { changes }) => sum + (changes?.filter(({ kind }) => kind === 'field').length ?? 1), 0);
}

/** Undefined when nothing in the edition of something else stands for what is wanted. */
function differences(
  wanted: DerivationId,
  steps: StepSource,
  {
    edition,
    edited: { descriptions },
    isOwn,
  }: { readonly edition: Edition; readonly edited: Edited; readonly isOwn: boolean },
): Cause[] | undefined {
  const byLabel = new Map<string, DerivationId[]>();
  for (const [id, description] of descriptions) {
    const label = labelOf(description);
    byLabel.set(label, [...(byLabel.get(label) ?? []), id]);
  }
  const top = edition.derivation as DerivationId;
  const topLabel = labelOf(descriptions.get(top)!);
  if (!isOwn && !byLabel.has(stepLabel(steps(wanted).derivation))) return undefined;
  return compareVersions(wanted, steps, {
    description: (id) => descriptions.get(id),
    formerOf: (step) => {
      const label = stepLabel(step.derivation);
      if (step.id === wanted && isOwn && label === topLabel) return top;
      // What stands in no place that was there before is the same step when it is the only one of its name.
      const same = byLabel.get(label) ?? [];
      if (same.includes(step.id)) return step.id;
      if (same.length === 1) return same[0];
      return step.id === wanted ? (isOwn ? top : same[0]) : undefined;
    },
  });
}

// As stepLabel has it; all of these are texts in a description.
function labelOf(description: RecordValue): string {
  const [kind, name, target] = ['kind', 'name', 'target'].map((field) => description[field] as string);
  return kind === 'run' ? `${name}@${target}` : `${kind}:${name}`;
}

// So many of the steps below have a result there, whoever signed it.
async function resultsOf(wanted: DerivationId, { steps, cache, signal }: AgainstOptions): Promise<number> {
  const closure = new Set<Step['id']>([wanted]);
  for (const id of closure) for (const input of steps(id).inputIds) closure.add(input);
  const signed = (await cache.records(closure, signal)).flatMap((bytes) => decodeSignedRecord(bytes) ?? []);
  const about = signed.flatMap(({ statement }) =>
    statement.kind === 'memo' ? [statement.memo.derivation] : [],
  );
  return new Set(about.filter((id) => closure.has(id as DerivationId))).size;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
