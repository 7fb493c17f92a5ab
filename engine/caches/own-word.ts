// What this machine may sign of what its store knows, and what of it is others' word and goes on as theirs. A claim is its own when
// it ran the action; a memo when it found out itself which action the derivation comes to, and that without relying on anybody
// when all below is its own, too: else of two keys that say the same one may only have believed the other.

import {
  decodeSignedRecord,
  promisedBy,
  signRecord,
  subjectOf,
  type SignedRecord,
} from '../../store/caches/index.ts';
import {
  sameOutputs,
  type Memo,
  type PushedRecord,
  type Realisation,
  type SigningKey,
  type Store,
} from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step } from '../step.ts';
import { realisationOf } from '../unproven.ts';

export interface SpokenOf {
  readonly memo: Memo;
  readonly realisation: Realisation;
  /** Something that the step is made from, or the step itself, is not this machine's own. */
  readonly relies: boolean;
}

/** What is to be said of a step that was realised: signed here, or handed on. */
export function wordOn(
  step: Step,
  { memo, realisation: { claim, facts }, relies }: SpokenOf,
  { store, key }: { readonly store: Pick<Store, 'records'>; readonly key: SigningKey },
): PushedRecord[] {
  const heard = heardOf(step.id, store);
  const signed = (statement: SignedRecord['statement']): PushedRecord => ({
    subject: subjectOf(statement),
    bytes: signRecord(statement, key),
  });
  // Where it came to something else here, theirs is not what goes along.
  const handedOn = (kind: 'claim' | 'memo'): PushedRecord[] =>
    heard
      .filter(({ record: { statement } }) => statement.kind === kind)
      .filter(({ record: { statement } }) => sameOutputs(promisedBy(statement), memo.outputs))
      .map(({ record: { statement }, bytes }) => ({ subject: subjectOf(statement), bytes }));
  return [
    ...(isMemoAmong(heard)
      ? handedOn('memo')
      : [signed({ kind: 'memo', memo, ...(relies && { reliesOnOthers: true }) })]),
    ...(facts.signers === undefined ? [signed({ kind: 'claim', claim })] : handedOn('claim')),
  ];
}

/** True when nobody else was believed for the step itself, whatever it is made from. */
export function isOwn(step: Step, store: Pick<Store, 'records'>): boolean {
  if (isMemoAmong(heardOf(step.id, store))) return false;
  // A local folder is read, and realised by nobody.
  if (step.derivation.kind === 'local') return true;
  const realisation = realisationOf(step, store);
  return realisation !== undefined && realisation.facts.signers === undefined;
}

interface Heard {
  readonly record: SignedRecord;
  readonly bytes: Uint8Array;
}

function heardOf(id: DerivationId, { records }: Pick<Store, 'records'>): Heard[] {
  return records.signed(id).flatMap((bytes) => {
    const record = decodeSignedRecord(bytes);
    return record === undefined ? [] : [{ record, bytes }];
  });
}

function isMemoAmong(heard: readonly Heard[]): boolean {
  return heard.some(({ record }) => record.statement.kind === 'memo');
}
