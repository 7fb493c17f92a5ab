// Writes a stream to a new file and hashes it on the way.

import { open } from 'node:fs/promises';
import { DigestHasher, type Digest } from '../base/digest.ts';

/** Chunks are gathered up to this size, since each write is a trip to another thread. */
const gatheredBytes = 256 << 10;

/** The digest of what was written. What a failure leaves of the file is the caller's to remove. */
export async function writeStream(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Digest> {
  const hasher = new DigestHasher();
  const file = await open(path, 'wx');
  try {
    for await (const chunk of gather(chunks)) {
      signal?.throwIfAborted();
      const writing = writeAll(file, chunk);
      hasher.update(chunk);
      await writing;
    }
  } finally {
    await file.close();
  }
  return hasher.digest();
}

// Nothing of a chunk is kept once the next is asked for, and what is given is not used any more by then: it may be overwritten.
async function* gather(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Buffer = Buffer.alloc(0);
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const needed = heldBytes + chunk.byteLength;
    if (needed > gatheredBytes && heldBytes > 0) {
      yield held.subarray(0, heldBytes);
      heldBytes = 0;
    }
    if (chunk.byteLength >= gatheredBytes) {
      yield chunk;
      continue;
    }
    held = withRoom(held, heldBytes, heldBytes + chunk.byteLength);
    held.set(chunk, heldBytes);
    heldBytes += chunk.byteLength;
  }
  if (heldBytes > 0) yield held.subarray(0, heldBytes);
}

function withRoom(held: Buffer, heldBytes: number, neededBytes: number): Buffer {
  if (neededBytes <= held.byteLength) return held;
  const larger = Buffer.allocUnsafeSlow(Math.min(gatheredBytes, Math.max(neededBytes, 2 * held.byteLength)));
  held.copy(larger, 0, 0, heldBytes);
  return larger;
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += (await file.write(bytes, at)).bytesWritten;
}
