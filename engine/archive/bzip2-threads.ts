// The threads that decode the blocks of one bzip2 file, started as blocks come, at most as many as there are cores. A few
// outlive it, since to start one takes as long as some megabytes.

import pLimit from 'p-limit';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/base/package-root.ts';
import type { Bzip2Block } from './bzip2-block.ts';

/** Of each thread that unpacks, of which there may be as many as cores. */
const mostKept = 2;
const kept: Worker[] = [];

export class Bzip2Threads {
  readonly count = availableParallelism();
  readonly #idle = kept.splice(0);
  readonly #busy = new Set<Worker>();
  readonly #slot = pLimit({ concurrency: this.count, rejectOnClear: true });

  /** What the blocks hold, undefined for one that is damaged; only of the first ones when that is a lot already. */
  decode(blocks: readonly Bzip2Block[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#slot(async () => {
      const thread = this.#idle.pop() ?? start();
      this.#busy.add(thread);
      const plains = await answer(thread, blocks);
      this.#busy.delete(thread);
      this.#idle.push(thread);
      return plains;
    });
  }

  async close(): Promise<void> {
    this.#slot.clearQueue();
    kept.push(...this.#idle.splice(0, mostKept - kept.length));
    await Promise.all([...this.#busy, ...this.#idle].map((thread) => thread.terminate()));
  }
}

function start(): Worker {
  return new Worker(workerUrl('engine/workers/bunzip2.ts'), { name: 'bunzip2' });
}

function answer(thread: Worker, blocks: readonly Bzip2Block[]): Promise<readonly (Uint8Array | undefined)[]> {
  return new Promise((resolve, reject) => {
    const ended = (status: number): void =>
      reject(new Error(`bug: a bunzip2 thread ended with status ${status}`));
    thread.once('error', reject).once('exit', ended);
    thread.once('message', (plains: readonly (Uint8Array | undefined)[]) => {
      thread.off('error', reject).off('exit', ended);
      // An idle thread does not keep the process alive.
      thread.unref();
      resolve(plains);
    });
    thread.ref();
    thread.postMessage(blocks);
  });
}
