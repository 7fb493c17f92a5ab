// A workshop in which commands are played: a function says what running one comes to, so that a test knows what is under way.
// The store, the locks, the planner and the scheduler are the real ones.

import { Workshop } from '../../engine/workshop.ts';
import type { BuildRequest, ExecuteOptions, Executor } from '../../engine/execute/executor.ts';
import type { ContentSource } from '../../engine/content-source.ts';
import type { Wish } from '../../engine/build.ts';
import type { Store } from '../../store/index.ts';
import { usualPace } from '../../engine/schedule/pace.ts';

export interface Play {
  readonly store: Store;
  /** Commands at once. */
  readonly jobs: number;
  /** Resolves when the command of that name has ended; its output is a file of its name. */
  readonly run: (name: string, options: ExecuteOptions, request: BuildRequest) => Promise<void>;
  /** Where content is that the store does not have. */
  readonly elsewhere?: ContentSource;
}

export function playedWorkshop({ store, jobs, run, elsewhere }: Play): Workshop {
  const executor: Executor = {
    async execute(request, options) {
      const { name } = request;
      await run(name, options, request);
      if (options.signal.aborted) return { kind: 'cancelled' };
      const batch = store.begin();
      const digest = batch.addDirectory(
        new Map([[name, { kind: 'blob', digest: batch.addBytes(Buffer.from(name)), executable: false }]]),
      );
      const outputs = { out: { kind: 'tree', digest } } as const;
      return {
        kind: 'succeeded',
        outputs,
        batch,
        log: undefined,
        use: { durationMs: 1, cpuMs: 1, peakMemoryBytes: undefined },
      };
    },
    keepsFolders: false,
    buildersCpuMs: () => 0,
    close: () => Promise.resolve(),
  };
  return new Workshop({
    store,
    capacities: new Map(),
    executors: [
      {
        ...{ pool: 'run:played', platforms: ['x86_64-linux'], slots: jobs, isHere: true },
        ...{ pace: usualPace, coresOf: () => 1, isKnownThere: () => true },
        open: () => Promise.resolve(executor),
      },
    ],
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    elsewhere,
    close: () => Promise.resolve(),
  });
}

/** Of commands alone nothing is fetched. */
export const noSources: Wish['sources'] = {
  mirrors: {},
  lock: () => Promise.reject(new Error('nothing is pinned')),
  offline: true,
};
