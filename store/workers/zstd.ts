// Worker thread: compresses and decompresses what it is handed, where node:zlib cannot.

import { parentPort } from 'node:worker_threads';
import { letGo } from '../base/let-go.ts';
import { byWasm, type ZstdJob } from '../caches/wasm-codec.ts';

parentPort!.on('message', (job: ZstdJob) => void answer(job));

async function answer(job: ZstdJob): Promise<void> {
  try {
    const result = await byWasm(job);
    letGo(job.bytes);
    parentPort!.postMessage({ ok: true, result }, [result.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort!.postMessage({ ok: false, error: error instanceof Error ? error.message : String(error) });
  }
}
