// The threads that unpack archives: as many as the machine has cores, started when they are needed. One archive is one
// thread's work from start to end.

import pLimit from 'p-limit';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../store/base/package-root.ts';
import type { UnpackReply, UnpackRequest } from './listing.ts';

type Request = Omit<UnpackRequest, 'stop'>;

export class UnpackWorkers {
  readonly #idle: UnpackThread[] = [];
  readonly #slot = pLimit({ concurrency: availableParallelism(), rejectOnClear: true });
  #isClosed = false;

  /** Unpacks, waiting for a thread if need be. When `signal` aborts, the reply comes soon. */
  run(request: Request, signal: AbortSignal): Promise<UnpackReply> {
    return this.#slot(async () => {
      if (signal.aborted) return { kind: 'stopped' };
      const thread = this.#idle.pop() ?? new UnpackThread();
      const reply = await thread.run(request, signal);
      if (this.#isClosed) await thread.end();
      else this.#idle.push(thread);
      return reply;
    });
  }

  /** Ends the threads. Those that still work end when they have done it, so abort that first. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#slot.clearQueue();
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()));
  }
}

class UnpackThread {
  readonly #worker = new Worker(workerUrl('engine/workers/unpack.ts'), { name: 'unpack' });
  #resolve: (reply: UnpackReply) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.#worker.on('message', (reply: UnpackReply) => this.#resolve(reply));
    this.#worker.on('error', (error) => this.#reject(error));
    this.#worker.on('exit', (status) =>
      this.#reject(new Error(`bug: an unpacking thread ended with status ${status}`)),
    );
    // An idle thread does not keep the process alive.
    this.#worker.unref();
  }

  /** One request at a time. A rejection means that the thread is gone. */
  async run(request: Request, signal: AbortSignal): Promise<UnpackReply> {
    const stop = new SharedArrayBuffer(4);
    const stopReading = (): void => void Atomics.store(new Int32Array(stop), 0, 1);
    signal.addEventListener('abort', stopReading);
    this.#worker.ref();
    try {
      return await new Promise<UnpackReply>((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#worker.postMessage({ ...request, stop });
      });
    } finally {
      signal.removeEventListener('abort', stopReading);
      this.#worker.unref();
    }
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
