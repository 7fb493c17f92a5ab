// From what caches hold to what counts: signed records are decoded, weighed by the keys that are trusted, and contradictions told.

import type { Digest } from '../../store/base/digest.ts';
import {
  agreed,
  decodeSignedRecord,
  promisedBy,
  subjectOf,
  weigh,
  type Heard,
  type Trust,
  type Voiced,
} from '../../store/caches/index.ts';
import { sameOutputs, type Claim, type Memo } from '../../store/index.ts';
import type { Contradiction, FoundClaim, FoundMemo } from '../content-source.ts';

/** Records as one cache gave them. */
export interface Given {
  readonly bytes: Uint8Array;
  readonly takesAnyKey: boolean;
}

interface Weighed<Value> {
  readonly value: Value;
  readonly signers: readonly string[];
  readonly records: readonly Uint8Array[];
}

export class TrustedRecords {
  readonly #trust: Trust;
  /** By kind and subject, each record once for each way it is taken. */
  readonly #heard = new Map<string, Map<string, { readonly bytes: Uint8Array; readonly heard: Heard }>>();
  /** Actions of which something was heard that nobody has compared. */
  readonly #news = new Set<Digest>();
  readonly #onDispute: (subject: Digest, versions: readonly Voiced[]) => void;

  constructor(trust: Trust, onDispute: (subject: Digest, versions: readonly Voiced[]) => void) {
    this.#trust = trust;
    this.#onDispute = onDispute;
  }

  add(given: Iterable<Given>): void {
    for (const { bytes, takesAnyKey } of given) {
      const record = decodeSignedRecord(bytes);
      // Editions are for people: nothing is taken on their word.
      if (record === undefined || record.statement.kind === 'edition') continue;
      const subject = subjectOf(record.statement);
      const key = `${record.statement.kind} ${subject}`;
      const known = this.#heard.get(key) ?? new Map<string, never>();
      this.#heard.set(key, known);
      const name = `${takesAnyKey} ${Buffer.from(bytes).toString('latin1')}`;
      if (record.statement.kind === 'claim' && !known.has(name)) this.#news.add(subject);
      known.set(name, { bytes, heard: { record, takesAnyKey } });
    }
  }

  // Signatures are looked at last: most of what is heard is of actions that nobody here has done, or says the same.
  contradictions(made: (action: Digest) => Claim['outputs'] | undefined): Contradiction[] {
    const found = [...this.#news].flatMap((action): Contradiction[] => {
      const outputs = made(action);
      if (outputs === undefined) return [];
      const heard = [...(this.#heard.get(`claim ${action}`)?.values() ?? [])].map((one) => one.heard);
      if (heard.every(({ record }) => sameOutputs(promisedBy(record.statement), outputs))) return [];
      return weigh(heard, this.#trust).flatMap(({ statement, signers }) =>
        statement.kind === 'claim' && !sameOutputs(statement.claim.outputs, outputs)
          ? [{ claim: statement.claim, signers }]
          : [],
      );
    });
    this.#news.clear();
    return found;
  }

  claim(action: Digest): FoundClaim | undefined {
    const weighed = this.#weighed<Claim>('claim', action);
    return weighed && { claim: weighed.value, signers: weighed.signers, records: weighed.records };
  }

  /** The memo counts only together with a claim about its action that says the same. */
  memo(derivation: Digest): FoundMemo | undefined {
    const weighed = this.#weighed<Memo>('memo', derivation);
    const found = weighed && this.claim(weighed.value.action);
    if (weighed === undefined || found === undefined) return undefined;
    if (!sameOutputs(weighed.value.outputs, found.claim.outputs)) return undefined;
    return { memo: weighed.value, found: { ...found, records: [...weighed.records, ...found.records] } };
  }

  /** The action of a memo that counts by itself, so that claims about it can be asked for. */
  actionOf(derivation: Digest): Digest | undefined {
    return this.#weighed<Memo>('memo', derivation)?.value.action;
  }

  #weighed<Value extends Claim | Memo>(kind: 'claim' | 'memo', subject: Digest): Weighed<Value> | undefined {
    const known = [...(this.#heard.get(`${kind} ${subject}`)?.values() ?? [])];
    if (known.length === 0) return undefined;
    const versions = weigh(
      known.map(({ heard }) => heard),
      this.#trust,
    );
    if (versions.length > 1) this.#onDispute(subject, versions);
    const one = agreed(versions);
    if (one === undefined) return undefined;
    const value = valueOf(one.statement) as Value;
    const records = known
      .filter(({ heard }) => heard.record.statement.kind === kind && says(heard, one))
      .map(({ bytes }) => bytes);
    return { value, signers: one.signers, records };
  }
}

function says({ record }: Heard, { statement }: Voiced): boolean {
  return sameOutputs(promisedBy(record.statement), promisedBy(statement));
}

function valueOf(statement: Voiced['statement']): Claim | Memo | undefined {
  return statement.kind === 'claim'
    ? statement.claim
    : statement.kind === 'memo'
      ? statement.memo
      : undefined;
}
