// Removes what was moved out of everybody's way, on a thread that gives way to whatever else the machine does.

import { Worker } from 'node:worker_threads';
import { isErrno } from '../base/errors.ts';
import { workerUrl } from '../base/package-root.ts';

/** Removes a folder with everything in it, but what only another user may remove. It may be gone already. */
export async function removeAside(folder: string): Promise<void> {
  const worker = new Worker(workerUrl('store/workers/remove.ts'), { workerData: folder });
  try {
    await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
  }
}
