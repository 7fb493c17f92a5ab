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
import { sameOutputs, type PushedRecord, type SigningKey, type Store } from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step, StepSource } from '../step.ts';

interface Heard {
  readonly record: SignedRecord;
  readonly bytes: Uint8Array;
}

export class OwnWord {
  readonly #records: Store['records'];
  readonly #steps: StepSource;
  readonly #key: SigningKey;
  readonly #relying = new Map<DerivationId, boolean>();

  constructor({ records }: Pick<Store, 'records'>, steps: StepSource, key: SigningKey) {
    this.#records = records;
    this.#steps = steps;
    this.#key = key;
  }

  /** What is to be said of a step that was realised: signed here, or handed on. */
  recordsOf(step: Step): PushedRecord[] {
    const memo = this.#records.memo(step.id);
    const realisation = memo && this.#records.realisation(memo.action);
    if (memo === undefined || realisation === undefined) return [];
    const heard = this.#heardOf(step.id);
    // Where it came to something else here, theirs is not what goes along.
    const handedOn = (kind: 'claim' | 'memo'): PushedRecord[] =>
      heard
        .filter(({ record: { statement } }) => statement.kind === kind)
        .filter(({ record: { statement } }) => sameOutputs(promisedBy(statement), memo.outputs))
        .map(({ record: { statement }, bytes }) => ({ subject: subjectOf(statement), bytes }));
    const { claim, facts } = realisation;
    const relies = this.#reliesOnOthers(step.id);
    return [
      ...(isMemoAmong(heard)
        ? handedOn('memo')
        : [this.#signed({ kind: 'memo', memo, ...(relies && { reliesOnOthers: true }) })]),
      ...(facts.signers === undefined ? [this.#signed({ kind: 'claim', claim })] : handedOn('claim')),
    ];
  }

  #signed(statement: SignedRecord['statement']): PushedRecord {
    return { subject: subjectOf(statement), bytes: signRecord(statement, this.#key) };
  }

  #heardOf(id: DerivationId): Heard[] {
    return this.#records.signed(id).flatMap((bytes) => {
      const record = decodeSignedRecord(bytes);
      return record === undefined ? [] : [{ record, bytes }];
    });
  }

  // Inputs before what needs them, without recursion: chains are as long as they like.
  #reliesOnOthers(wanted: DerivationId): boolean {
    const stack = [wanted];
    while (stack.length > 0) {
      const step = this.#steps(stack.at(-1)!);
      const open = step.inputIds.filter((id) => !this.#relying.has(id));
      if (open.length > 0) stack.push(...open);
      else {
        stack.pop();
        const isBelow = step.inputIds.some((id) => this.#relying.get(id)!);
        this.#relying.set(step.id, isBelow || !this.#isOwn(step));
      }
    }
    return this.#relying.get(wanted)!;
  }

  #isOwn({ id, derivation }: Step): boolean {
    if (isMemoAmong(this.#heardOf(id))) return false;
    // A local folder is read, and realised by nobody.
    if (derivation.kind === 'local') return true;
    const memo = this.#records.memo(id);
    const realisation = memo && this.#records.realisation(memo.action);
    return realisation !== undefined && realisation.facts.signers === undefined;
  }
}

function isMemoAmong(heard: readonly Heard[]): boolean {
  return heard.some(({ record }) => record.statement.kind === 'memo');
}
