// Tells whether bytes start a tar archive. Knows nothing of what is in one.

import { malformed } from './bad-archive.ts';

export const tarHeaderBytes = 512;
/** Where a header keeps its checksum: eight bytes, which count as spaces in it (POSIX pax, "ustar"). */
const checksumAt = 148;
const checksumEnd = 156;

/**
 * Passes the chunks on, having made sure that they start like a tar: with a header whose checksum is right, or, when
 * there is nothing in it, with a block of zeros. `otherwise` says what else it is.
 */
export async function* startingAsTar(
  chunks: AsyncIterable<Buffer>,
  otherwise: string,
): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head.length >= tarHeaderBytes) {
      yield chunk;
      continue;
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    if (head.length < tarHeaderBytes) continue;
    checkStart(head.subarray(0, tarHeaderBytes), otherwise);
    yield head;
  }
  if (head.length < tarHeaderBytes) malformed(otherwise);
}

function checkStart(header: Buffer, otherwise: string): void {
  if (header.every((byte) => byte === 0) || hasTarChecksum(header)) return;
  const isUstar = header.toString('latin1', 257, 262) === 'ustar';
  malformed(isUstar ? 'its first tar header has a wrong checksum' : otherwise);
}

/** A header, or the start of one, with the right checksum. */
export function hasTarChecksum(header: Buffer): boolean {
  const sum = header.reduce(
    (total, byte, at) => total + (at >= checksumAt && at < checksumEnd ? 32 : byte),
    0,
  );
  const digits = /^ *([0-7]+)[ \0]*$/.exec(header.toString('latin1', checksumAt, checksumEnd));
  return digits !== null && parseInt(digits[1]!, 8) === sum;
}
