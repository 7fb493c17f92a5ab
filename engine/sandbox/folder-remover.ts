// Removing work folders on a thread of its own, so that nobody waits for it.

import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/base/package-root.ts';

export class FolderRemover {
  #worker: Worker | undefined;
  #pending = 0;
  #idle: (() => void) | undefined;

  /** Removes a folder a little later. What cannot be removed is left for the store's sweep. */
  remove(folder: string): void {
    this.#pending += 1;
    this.#worker ??= this.#start();
    this.#worker.postMessage(folder);
  }

  /** Waits until everything is removed, and ends the thread. */
  async close(): Promise<void> {
    // Waited for, the thread keeps the process alive; else the process would end in the middle of it.
    this.#worker?.ref();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(workerUrl('engine/workers/remove-folder.ts'));
    worker.on('message', () => this.#settle(1));
    // The thread is gone, and with it what it still had to do.
    worker.on('error', () => {
      this.#worker = undefined;
      this.#settle(this.#pending);
    });
    worker.unref();
    return worker;
  }

  #settle(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) this.#idle?.();
  }
}
