// The byte form in which a memo travels: canonical CBOR, read strictly. Pure: knows no key and no place.

import { encodeCbor } from '../base/cbor.ts';
import type { Memo } from '../store.ts';
import { nodeRecords } from './claim.ts';
import { digestIn, membersOf, outputsIn, valueIn } from './read-strictly.ts';

/** Raised when the meaning of a field changes, or another is needed to understand a memo. */
export const memoFormat = 1;

/** The canonical bytes. */
export function encodeMemo({ derivation, action, outputs }: Memo): Uint8Array {
  return encodeCbor({ format: memoFormat, derivation, action, outputs: nodeRecords(outputs) });
}

/** The memo that {@link encodeMemo} wrote; undefined for any other bytes, and for a format that is not known here. */
export function decodeMemo(bytes: Uint8Array): Memo | undefined {
  const record = membersOf(valueIn(bytes), ['format', 'derivation', 'action', 'outputs']);
  if (record?.['format'] !== memoFormat) return undefined;
  const derivation = digestIn(record['derivation']);
  const action = digestIn(record['action']);
  const outputs = outputsIn(record['outputs']);
  if (derivation === undefined || action === undefined || outputs === undefined) return undefined;
  return { derivation, action, outputs };
}
