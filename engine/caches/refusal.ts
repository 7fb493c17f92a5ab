// Why what a cache says of a derivation does not count here. Pure.

import { sameOutputs } from '../../store/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import { isGenuine, weigh, type SignedRecord, type Trust, type Voiced } from '../../store/caches/index.ts';

export interface Refusal {
  /**
   * `forged`: no signature is right. `untrusted`: all are by keys that nobody trusts here. `too-few`: not as many trusted keys as
   * are needed say it. `disputed`: trusted keys say different things. `unclaimed`: nobody claims what the derivation came to.
   */
  readonly why: 'forged' | 'untrusted' | 'too-few' | 'disputed' | 'unclaimed';
  /** Who says it, by the names of trusted keys, or as keys. */
  readonly signers: readonly string[];
  /** So many trusted keys would have to say it. */
  readonly need: number;
}

/** Undefined when nothing is said of it at all. To be asked about what does not count. */
export function refusalOf(
  derivation: Digest,
  signed: readonly SignedRecord[],
  trust: Trust,
): Refusal | undefined {
  const memos = signed.filter(
    ({ statement }) => statement.kind === 'memo' && statement.memo.derivation === derivation,
  );
  if (memos.length === 0) return undefined;
  const refusal = (why: Refusal['why'], voices: readonly Voiced[]): Refusal => ({
    why,
    signers: [...new Set(voices.flatMap(({ signers }) => signers))].sort(),
    need: trust.need,
  });
  if (!memos.some(isGenuine)) return refusal('forged', []);
  // Everybody's voice, and then only those that count.
  const anybody = weighed(memos, trust, true);
  const trusted = weighed(memos, trust, false);
  if (trusted.length === 0) return refusal('untrusted', anybody);
  if (trusted.filter(({ counts }) => counts).length > 1) return refusal('disputed', trusted);
  const counting = trusted.find(({ counts }) => counts);
  if (counting === undefined) return refusal(trusted.length > 1 ? 'disputed' : 'too-few', trusted);
  return refusal(...claimed(counting, signed, trust));
}

// The memo counts, so it is the claim about its action that does not.
function claimed(
  { statement }: Voiced,
  signed: readonly SignedRecord[],
  trust: Trust,
): [Refusal['why'], readonly Voiced[]] {
  const memo = statement.kind === 'memo' ? statement.memo : undefined;
  const claims = signed.filter(
    (one) => one.statement.kind === 'claim' && one.statement.claim.action === memo?.action,
  );
  if (!claims.some(isGenuine)) return ['unclaimed', []];
  const trusted = weighed(claims, trust, false);
  if (trusted.length === 0) return ['untrusted', weighed(claims, trust, true)];
  const isSame = trusted.every(
    (one) =>
      one.statement.kind === 'claim' &&
      memo !== undefined &&
      sameOutputs(one.statement.claim.outputs, memo.outputs),
  );
  return [isSame ? 'too-few' : 'disputed', trusted];
}

function weighed(records: readonly SignedRecord[], trust: Trust, takesAnyKey: boolean): readonly Voiced[] {
  return weigh(
    records.map((record) => ({ record, takesAnyKey })),
    trust,
  );
}
