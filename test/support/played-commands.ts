// A workshop in which commands are played: a function says what running one comes to, so that a test knows what is under way.
// The store, the locks, the planner and the scheduler are the real ones.

import { Workshop } from '../../engine/workshop.ts';
import type { ExecuteOptions, Executor } from '../../engine/execute/executor.ts';
import type { Wish } from '../../engine/build.ts';
import type { Store } from '../../store/index.ts';

export interface Play {
  readonly store: Store;
  /** Commands at once. */
  readonly jobs: number;
  /** Resolves when the command of that name has ended; its output is a file of its name. */
  readonly run: (name: string, options: ExecuteOptions) => Promise<void>;
}

export function playedWorkshop({ store, jobs, run }: Play): Workshop {
  const executor: Executor = {
    async execute({ name }, options) {
      await run(name, options);
      if (options.signal.aborted) return { kind: 'cancelled' };
      const batch = store.begin();
      const digest = batch.addDirectory(
        new Map([[name, { kind: 'blob', digest: batch.addBytes(Buffer.from(name)), executable: false }]]),
      );
      const outputs = { out: { kind: 'tree', digest } } as const;
      return { kind: 'succeeded', outputs, batch, log: undefined, durationMs: 1 };
    },
    buildersCpuMs: () => 0,
    close: () => Promise.resolve(),
  };
  return new Workshop({
    store,
    capacities: new Map(),
    executors: [
      { pool: 'run:played', platforms: ['x86_64-linux'], slots: jobs, open: () => Promise.resolve(executor) },
    ],
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    close: () => Promise.resolve(),
  });
}

/** Of commands alone nothing is fetched. */
export const noSources: Wish['sources'] = {
  mirrors: {},
  lock: () => Promise.reject(new Error('nothing is pinned')),
  offline: true,
};
