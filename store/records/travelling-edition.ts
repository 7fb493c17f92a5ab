// The byte form in which an edition travels: canonical CBOR, read strictly. Pure: knows no key and no place, and nothing of what the
// tree that it names holds.

import { encodeCbor } from '../base/cbor.ts';
import { digestOf, type Digest } from '../base/digest.ts';
import type { Edition } from '../store.ts';
import { digestIn, membersOf, valueIn } from './read-strictly.ts';

/** Raised when the meaning of a field changes, or another is needed to understand an edition. */
export const editionFormat = 1;
const longestName = 1000;
/** Later there is no date. */
const lastMs = 8.64e15;

/** The canonical bytes. */
export function encodeEdition({ name, derivation, builtAtMs, descriptions }: Edition): Uint8Array {
  return encodeCbor({ format: editionFormat, name, derivation, builtAtMs, descriptions });
}

/** The edition that {@link encodeEdition} wrote; undefined for any other bytes, and for a format that is not known here. */
export function decodeEdition(bytes: Uint8Array): Edition | undefined {
  const record = membersOf(valueIn(bytes), ['format', 'name', 'derivation', 'builtAtMs', 'descriptions']);
  if (record?.['format'] !== editionFormat) return undefined;
  const { name, builtAtMs } = record;
  const [derivation, descriptions] = [digestIn(record['derivation']), digestIn(record['descriptions'])];
  if (derivation === undefined || descriptions === undefined) return undefined;
  if (typeof name !== 'string' || name === '' || name.length > longestName) return undefined;
  if (typeof builtAtMs !== 'number' || builtAtMs < 0 || builtAtMs > lastMs) return undefined;
  return { name, derivation, builtAtMs, descriptions };
}

/** What editions of a name are found by. */
export function editionSubject(name: string): Digest {
  return digestOf(Buffer.from(`cairn edition ${name}`));
}
