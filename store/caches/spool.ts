// A stream put down in a file of its own, so that its size is known before it is sent, and it can be sent twice.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ShelfContent } from './shelf.ts';

export async function spooled(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<ShelfContent & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-push-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'content');
    await pipeline(chunks, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
    return {
      sizeBytes: (await stat(path)).size,
      chunks: () => createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>,
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
