// Worker thread: hashes, moves, copies and compares the files it is handed.

import { parentPort } from 'node:worker_threads';
import { sendError, type FileJob } from '../content/file-pool.ts';
import { compareSome } from '../import/compare-snapshot.ts';
import { importFile } from '../import/import-file.ts';
import { Snapshot } from '../import/import-snapshot.ts';
import { copyBlob } from '../trees/copy-files.ts';
import { takeFile } from '../content/take-file.ts';
import { writeFiles } from '../content/write-blob.ts';

parentPort!.on('message', (job: FileJob) => void answer(job));

async function answer(job: FileJob): Promise<void> {
  try {
    parentPort!.postMessage({ ok: true, result: await work(job) });
  } catch (error) {
    parentPort!.postMessage({ ok: false, error: sendError(error) });
  }
}

async function work(job: FileJob): Promise<unknown[]> {
  const results: unknown[] = [];
  switch (job.kind) {
    case 'take':
      for (const file of job.files) results.push(await takeFile(file, job.folder));
      break;
    case 'write':
      return writeFiles(job.files, job.folder);
    case 'import':
      for (const file of job.files) results.push(await importFile(file, job.options));
      break;
    case 'copy':
      for (const file of job.files) results.push(copyBlob(file));
      break;
    case 'compare': {
      const snapshot = new Snapshot(job.comparison.snapshot);
      while (compareSome(job.comparison, snapshot));
      break;
    }
  }
  return results;
}
