// Worker thread: hashes the blobs it is handed; a file that cannot be read has no hash.

import { parentPort } from 'node:worker_threads';
import { digestHash } from '../base/digest.ts';
import { hashFileSync } from '../content/hash-file.ts';

parentPort!.on('message', (paths: readonly string[]) => {
  parentPort!.postMessage({ ok: true, result: paths.map(hashOf) });
});

function hashOf(path: string): string | undefined {
  try {
    return digestHash(hashFileSync(path));
  } catch {
    return undefined;
  }
}
