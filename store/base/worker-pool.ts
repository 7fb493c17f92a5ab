// Worker threads that do one job at a time each, started when first needed. Knows nothing of what the jobs are.

import { availableParallelism } from 'node:os';
import { Worker, type Transferable } from 'node:worker_threads';
import { workerUrl } from './package-root.ts';

/** What a worker answers: a result, or an error as plain data (errors lose their class between threads). */
export type WorkerAnswer<Result> =
  { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: unknown };

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly transfer: readonly Transferable[];
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread<Job, Result> {
  readonly worker: Worker;
  /** What it works on. */
  current: Waiting<Job, Result> | undefined;
}

/** As many threads as the machine has processors, all running one worker file. */
export class WorkerPool<Job, Result> {
  readonly #source: string;
  readonly #revive: (error: unknown) => unknown;
  readonly #queue: Waiting<Job, Result>[] = [];
  readonly #threads = new Set<Thread<Job, Result>>();

  /**
   * @param source the worker's source file inside the package, such as `store/workers/hash.ts`
   * @param revive makes an error again of what a worker sent as one
   */
  constructor(source: string, revive: (error: unknown) => unknown) {
    this.#source = source;
    this.#revive = revive;
  }

  /** @param transfer buffers in the job that go over to the thread: they are empty here afterwards */
  run(job: Job, transfer: readonly Transferable[] = []): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, transfer, resolve, reject });
      this.#feed();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #feed(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      thread.current = this.#queue.shift()!;
      thread.worker.ref();
      const { job, transfer } = thread.current;
      thread.worker.postMessage(job, transfer);
    }
  }

  #freeThread(): Thread<Job, Result> | undefined {
    for (const thread of this.#threads) if (thread.current === undefined) return thread;
    return this.#threads.size < availableParallelism() ? this.#start() : undefined;
  }

  #start(): Thread<Job, Result> {
    const worker = new Worker(workerUrl(this.#source));
    const thread: Thread<Job, Result> = { worker, current: undefined };
    this.#threads.add(thread);
    worker.on('message', (answer: WorkerAnswer<Result>) => {
      const job = this.#finish(thread);
      if (answer.ok) job?.resolve(answer.result);
      else job?.reject(this.#revive(answer.error));
      this.#feed();
    });
    const fail = (error: unknown): void => {
      this.#threads.delete(thread);
      this.#finish(thread)?.reject(error);
      this.#feed();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('a worker thread ended before its job was done')));
    return thread;
  }

  // An idle thread does not keep the process alive.
  #finish(thread: Thread<Job, Result>): Waiting<Job, Result> | undefined {
    const job = thread.current;
    thread.current = undefined;
    thread.worker.unref();
    return job;
  }
}
