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

async function* gather(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.byteLength;
    if (heldBytes < gatheredBytes) continue;
    yield held.length === 1 ? chunk : Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
  }
  if (heldBytes > 0) yield Buffer.concat(held, heldBytes);
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) at += (await file.write(bytes, at)).bytesWritten;
}
