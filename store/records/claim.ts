// The one byte form of a claim: what would be signed, and travels from machine to machine. Canonical CBOR, read strictly,
// since it may come from anywhere. Pure: knows no database, no key and no place.

import { encodeCbor, type CborValue } from '../base/cbor.ts';
import { mapByName } from '../base/map-by-name.ts';
import type { Claim } from '../store.ts';
import type { Node } from '../trees/tree.ts';
import { digestIn, membersOf, outputsIn, valueIn } from './read-strictly.ts';

/** Raised when the meaning of a field changes, or another is needed to understand a claim. */
export const claimFormat = 1;

/** The canonical bytes. */
export function encodeClaim({ format, action, outputs, revision }: Claim): Uint8Array {
  return encodeCbor({ format, action, outputs: nodeRecords(outputs), revision });
}

/** The claim that {@link encodeClaim} wrote; undefined for any other bytes, and for a format that is not known here. */
export function decodeClaim(bytes: Uint8Array): Claim | undefined {
  const record = membersOf(valueIn(bytes), ['format', 'action', 'outputs', 'revision']);
  if (record?.['format'] !== claimFormat) return undefined;
  const action = digestIn(record['action']);
  const outputs = outputsIn(record['outputs']);
  const revision = record['revision'];
  if (action === undefined || outputs === undefined) return undefined;
  if (typeof revision !== 'number' || revision < 1) return undefined;
  return { format: claimFormat, action, outputs, revision };
}

/** Nodes by name as records have them. */
export function nodeRecords(nodes: Readonly<Record<string, Node>>): CborValue {
  return mapByName(Object.entries(nodes).map(([name, node]) => [name, { ...node }]));
}
