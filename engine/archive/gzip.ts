// gzip (RFC 1952) by node:zlib.

import { createGunzip } from 'node:zlib';
import { isErrno } from '../../store/base/errors.ts';
import { BadArchive, malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';
import { throughTransform } from './through-transform.ts';

const pieceBytes = 64 * 1024;
const chunkSize = 256 * 1024;

/** Members that follow each other are one stream, as with gzip(1). */
export async function* gunzip(compressed: FileRange): AsyncGenerator<Buffer, void, undefined> {
  const decoder = createGunzip({ chunkSize });
  try {
    yield* throughTransform(compressed.pieces(pieceBytes), decoder);
  } catch (error) {
    throw explained(error);
  }
  // zlib stops at what is not another member. Only padding may be there.
  const rest = compressed.slice(decoder.bytesWritten, compressed.sizeBytes - decoder.bytesWritten);
  for (const piece of rest.pieces(pieceBytes))
    if (piece.some((byte) => byte !== 0)) malformed('something follows its gzip data');
}

// zlib takes what follows a member for the next one, unless it is padding. The first one's header is right: format.ts.
function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message === 'incorrect header check')
    return new BadArchive('malformed', 'something follows its gzip data');
  return isErrno(error, 'Z_BUF_ERROR')
    ? new BadArchive('malformed', 'its gzip data is cut short, or a few bytes follow that are none')
    : error;
}
