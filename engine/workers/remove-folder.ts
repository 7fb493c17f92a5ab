// Worker thread: removes folders one after the other, so that the main thread never waits for a big one.
// Each message is a path; the answer is the same path once it is gone, or given up.

import { parentPort } from 'node:worker_threads';
import { removeTree } from '../../store/base/remove-tree.ts';

parentPort?.on('message', (folder: string) => {
  try {
    removeTree(folder);
  } finally {
    parentPort?.postMessage(folder);
  }
});
