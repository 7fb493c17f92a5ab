// The threads that decode the blocks of one bzip2 file, started as blocks come, at most as many as there are cores.

import pLimit from 'p-limit';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/base/package-root.ts';
import type { Bzip2Block } from './bzip2-block.ts';

export class Bzip2Threads {
  readonly count = availableParallelism();
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #slot = pLimit({ concurrency: this.count, rejectOnClear: true });

  /** What a block holds; undefined when it is damaged. */
  decode(block: Bzip2Block): Promise<Uint8Array | undefined> {
    return this.#slot(async () => {
      const thread = this.#idle.pop() ?? this.#start();
      try {
        return await answer(thread, block);
      } finally {
        this.#idle.push(thread);
      }
    });
  }

  async close(): Promise<void> {
    this.#slot.clearQueue();
    await Promise.all(this.#all.map((thread) => thread.terminate()));
  }

  #start(): Worker {
    const thread = new Worker(workerUrl('engine/workers/bunzip2.ts'), { name: 'bunzip2' });
    this.#all.push(thread);
    return thread;
  }
}

function answer(thread: Worker, block: Bzip2Block): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const ended = (status: number): void =>
      reject(new Error(`bug: a bunzip2 thread ended with status ${status}`));
    thread.once('error', reject).once('exit', ended);
    thread.once('message', (plain: Uint8Array | undefined) => {
      thread.off('error', reject).off('exit', ended);
      resolve(plain);
    });
    thread.postMessage(block);
  });
}
