// What is below an output, and in which files of a cache it lies, so that one request says what else to ask for. A hint: who wrote
// it is not asked, since every blob is verified when it comes. Canonical CBOR, read strictly. Pure.

import { encodeCbor, type CborValue } from '../base/cbor.ts';
import { digestHash, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { bytesIn, membersOf, valueIn } from '../records/read-strictly.ts';

export interface ContentList {
  /** In the order in which they are read: what leads to others first. */
  readonly packs: readonly ListedPack[];
  /** What lies in files of its own. */
  readonly alone: readonly Digest[];
}

export interface ListedPack {
  /** SHA-256 of its bytes, in hex. */
  readonly name: string;
  /** What of it is below the output; it may hold more. */
  readonly holds: readonly Digest[];
}

export const contentListFormat = 1;
const nameBytes = 32;
const entryBytes = 40;

export function encodeContentList({ packs, alone }: ContentList): Uint8Array {
  return encodeCbor({
    format: contentListFormat,
    packs: packs.map(({ name, holds }) => [Buffer.from(name, 'hex'), encodeDigests(holds)]),
    alone: encodeDigests(alone),
  });
}

/** The list; undefined for any other bytes, and for a format that is not known here. */
export function decodeContentList(bytes: Uint8Array): ContentList | undefined {
  const record = membersOf(valueIn(bytes), ['format', 'packs', 'alone']);
  if (record?.['format'] !== contentListFormat || !Array.isArray(record['packs'])) return undefined;
  const alone = digestsIn(record['alone']);
  const packs = (record['packs'] as readonly CborValue[]).map(packIn);
  if (alone === undefined || !packs.every((pack) => pack !== undefined)) return undefined;
  return { packs, alone };
}

function packIn(value: CborValue): ListedPack | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [name, holds] = value as readonly CborValue[];
  const [nameIn, digests] = [bytesIn(name, nameBytes), digestsIn(holds)];
  return nameIn && digests && { name: Buffer.from(nameIn).toString('hex'), holds: digests };
}

// A hash, and the size in eight bytes.
function encodeDigests(digests: readonly Digest[]): Uint8Array {
  const bytes = Buffer.alloc(digests.length * entryBytes);
  for (const [at, digest] of digests.entries()) {
    bytes.write(digestHash(digest), at * entryBytes, 'hex');
    bytes.writeBigUInt64BE(BigInt(digestSize(digest)), at * entryBytes + nameBytes);
  }
  return bytes;
}

function digestsIn(value: CborValue | undefined): Digest[] | undefined {
  const bytes = bytesIn(value);
  if (bytes === undefined || bytes.byteLength % entryBytes !== 0) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const digests: Digest[] = [];
  for (let at = 0; at < buffer.length; at += entryBytes) {
    const size = buffer.readBigUInt64BE(at + nameBytes);
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    digests.push(makeDigest(buffer.toString('hex', at, at + nameBytes), Number(size)));
  }
  return digests;
}
