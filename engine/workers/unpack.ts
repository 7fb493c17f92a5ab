// Worker thread: unpacks one archive after the other. Each message is an UnpackRequest, each answer an UnpackReply.

import { parentPort } from 'node:worker_threads';
import { BadArchive } from '../archive/bad-archive.ts';
import { Stopped } from '../archive/limits.ts';
import type { UnpackReply, UnpackRequest } from '../archive/listing.ts';
import { readArchive } from '../archive/read-archive.ts';

parentPort?.on('message', (request: UnpackRequest) => {
  void reply(request).then((answer) => parentPort?.postMessage(answer));
});

async function reply(request: UnpackRequest): Promise<UnpackReply> {
  try {
    return { kind: 'unpacked', listing: await readArchive(request) };
  } catch (error) {
    if (error instanceof Stopped) return { kind: 'stopped' };
    if (error instanceof BadArchive) return { kind: error.kind, message: error.message };
    return failure(error instanceof Error ? error : new Error(String(error)));
  }
}

// An error's code does not survive the way to another thread.
function failure(error: NodeJS.ErrnoException): UnpackReply {
  return { kind: 'failed', error, code: error.code };
}
