// The records of one push as one file of a cache. Canonical CBOR in pieces; each record has its own signature, so this needs none.

import { encodeCbor } from '../base/cbor.ts';
import { bytesIn, membersOf, valueIn } from '../records/read-strictly.ts';
import { decodePieces, encodePieces, joined } from './pieces.ts';

export const recordPackFormat = 1;
/** Before it is compressed. */
export const recordPackBytes = 64 * 1024 * 1024;

export async function encodeRecordPack(records: readonly Uint8Array[]): Promise<Uint8Array> {
  return joined(encodePieces([encodeCbor({ format: recordPackFormat, records })]));
}

/** The records, unverified. @throws Error for anything else */
export async function decodeRecordPack(encoded: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  return packedRecords(await joined(decodePieces(encoded), recordPackBytes));
}

/** The same of what a pack's pieces hold. */
export function packedRecords(content: Uint8Array): readonly Uint8Array[] {
  const members = membersOf(valueIn(content), ['format', 'records']);
  if (members?.['format'] !== recordPackFormat || !Array.isArray(members['records']))
    throw new Error('it is no pack of records');
  return (members['records'] as readonly unknown[]).map((record) => {
    if (!(record instanceof Uint8Array)) throw new Error('it is no pack of records');
    return bytesIn(record)!;
  });
}
