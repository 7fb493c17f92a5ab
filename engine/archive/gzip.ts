// gzip (RFC 1952) by node:zlib.

import { createGunzip } from 'node:zlib';
import { malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';
import { throughTransform } from './through-transform.ts';

const pieceBytes = 64 * 1024;
const chunkSize = 256 * 1024;

/** Members that follow each other are one stream, as with gzip(1). */
export async function* gunzip(compressed: FileRange): AsyncGenerator<Buffer, void, undefined> {
  const decoder = createGunzip({ chunkSize });
  yield* throughTransform(compressed.pieces(pieceBytes), decoder);
  // zlib stops at what is not another member. Only padding may be there.
  const rest = compressed.slice(decoder.bytesWritten, compressed.sizeBytes - decoder.bytesWritten);
  for (const piece of rest.pieces(pieceBytes))
    if (piece.some((byte) => byte !== 0)) malformed('something follows its gzip data');
}
