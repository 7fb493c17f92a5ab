// Signed records that came with what others made: this machine may hand them on, and never signs in their place.

import type { CborValue } from '../store/base/cbor.ts';
import type { RecordReader, RecordWriter } from '../store/index.ts';
import type { DerivationId } from './model/encode.ts';

export function keepSignedRecords(
  records: RecordWriter,
  derivation: DerivationId,
  signed: readonly Uint8Array[],
): void {
  records.putCached(keyOf(derivation), [...signed]);
}

export function signedRecordsOf(records: RecordReader, derivation: DerivationId): readonly Uint8Array[] {
  const kept: CborValue | undefined = records.cached(keyOf(derivation));
  if (!Array.isArray(kept)) return [];
  return (kept as readonly CborValue[]).filter((one) => one instanceof Uint8Array);
}

function keyOf(derivation: DerivationId): string {
  return `signed records ${derivation}`;
}
