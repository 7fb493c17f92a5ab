// The form of a record in the database: four bytes of checksum, and its content. The checksum covers the table and the key as
// well, so that a record which damage has moved is no more believed than one that it has changed. CRC-32: against
// accidents; whoever may write into the store's folder can write anything. Pure.

import { crc32 } from 'node:zlib';

const checksumBytes = 4;

/** Seals `content` for a place in the database. */
export function sealRecord(table: string, key: string | Uint8Array, content: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(checksumBytes + content.byteLength);
  bytes.set(content, checksumBytes);
  bytes.writeUInt32LE(checksumOf(table, key, content));
  return bytes;
}

/** The content of what {@link sealRecord} gave for this place, as a view; undefined when it is anything else. */
export function openRecord(
  table: string,
  key: string | Uint8Array,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (bytes.byteLength < checksumBytes) return undefined;
  const content = bytes.subarray(checksumBytes);
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, checksumBytes).readUInt32LE();
  return found === checksumOf(table, key, content) ? content : undefined;
}

// A table's name is short and ours; the byte between keeps it apart from the key.
function checksumOf(table: string, key: string | Uint8Array, content: Uint8Array): number {
  return crc32(content, crc32(key, crc32(`${table}/`)));
}
