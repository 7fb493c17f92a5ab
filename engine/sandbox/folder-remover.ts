// Removing work folders on a thread of its own, so that nobody waits for it. A short build is over before such a thread
// has come up: then the folders are removed at the end, without one.

import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/base/package-root.ts';
import { removeTree } from '../../store/base/remove-tree.ts';

const startAfterMs = 200;

export class FolderRemover {
  #worker: Worker | undefined;
  #start: NodeJS.Timeout | undefined;
  readonly #waiting: string[] = [];
  #pending = 0;
  #idle: (() => void) | undefined;

  /** Removes a folder a little later. What cannot be removed is left for the store's sweep. */
  remove(folder: string): void {
    if (this.#worker !== undefined) this.#send(this.#worker, folder);
    else {
      this.#waiting.push(folder);
      this.#start ??= setTimeout(() => this.#startWorker(), startAfterMs).unref();
    }
  }

  /** Waits until everything is removed, and ends the thread. */
  async close(): Promise<void> {
    clearTimeout(this.#start);
    for (const folder of this.#waiting.splice(0)) tryToRemove(folder);
    // Waited for, the thread keeps the process alive; else the process would end in the middle of it.
    this.#worker?.ref();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #startWorker(): void {
    this.#start = undefined;
    const worker = new Worker(workerUrl('engine/workers/remove-folder.ts'));
    worker.on('message', () => this.#settle(1));
    // The thread is gone, and with it what it still had to do.
    worker.on('error', () => {
      this.#worker = undefined;
      this.#settle(this.#pending);
    });
    worker.unref();
    this.#worker = worker;
    for (const folder of this.#waiting.splice(0)) this.#send(worker, folder);
  }

  #send(worker: Worker, folder: string): void {
    this.#pending += 1;
    worker.postMessage(folder);
  }

  #settle(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) this.#idle?.();
  }
}

function tryToRemove(folder: string): void {
  try {
    removeTree(folder);
  } catch {
    // The sweep tries again.
  }
}
