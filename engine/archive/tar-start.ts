// Tells whether bytes start a tar archive. Knows nothing of what is in one.

import { malformed } from './bad-archive.ts';
import { blockBytes } from './tar-bytes.ts';
import { hasTarChecksum } from './tar-header.ts';

/**
 * Passes the chunks on, having made sure that they start like a tar: with a header whose checksum is right, or, when
 * there is nothing in it, with a block of zeros. `otherwise` says what else it is, of its first bytes.
 */
export async function* startingAsTar(
  chunks: AsyncIterable<Buffer>,
  otherwise: (head: Buffer) => string,
): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head.length >= blockBytes) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < blockBytes) continue;
    checkStart(head.subarray(0, blockBytes), otherwise);
    yield head;
  }
  if (head.length < blockBytes) malformed(otherwise(head));
}

function checkStart(header: Buffer, otherwise: (head: Buffer) => string): void {
  if (header.every((byte) => byte === 0) || hasTarChecksum(header)) return;
  const isUstar = header.toString('latin1', 257, 262) === 'ustar';
  malformed(isUstar ? 'its first tar header has a wrong checksum' : otherwise(header));
}
