// Removes what was moved out of everybody's way, on a thread that gives way to whatever else the machine does.

import { Worker } from 'node:worker_threads';
import { workerUrl } from '../base/package-root.ts';

/** Removes a folder with everything in it; it may be gone already. */
export async function removeAside(folder: string): Promise<void> {
  const worker = new Worker(workerUrl('store/workers/remove.ts'), { workerData: folder });
  await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
}
