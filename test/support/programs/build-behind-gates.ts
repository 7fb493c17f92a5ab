// Builds steps whose commands are played: each says that it runs, and ends when a file by its name is in a folder of
// gates, or has its process die there. What happens is written to a log that several such processes may share. The store,
// the locks between processes, the planner and the scheduler are the real ones.

import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Build } from '../../../engine/build.ts';
import type { Executor } from '../../../engine/execute/executor.ts';
import { Workshop } from '../../../engine/workshop.ts';
import { openStore } from '../../../store/index.ts';
import { command, stepSource } from '../steps.ts';

export interface BehindGates {
  /** For the log. */
  readonly process: string;
  readonly store: string;
  readonly log: string;
  readonly gates: string;
  readonly jobs: number;
  /** Names of steps, the more urgent ones first. */
  readonly steps: readonly string[];
}

const options = JSON.parse(process.argv[2]!) as BehindGates;
const store = await openStore(options.store);
const say = (event: string): void => appendFileSync(options.log, `${options.process} ${event}\n`);

const executor: Executor = {
  async execute({ name }) {
    say(`runs ${name}`);
    while (!existsSync(join(options.gates, name))) {
      if (existsSync(join(options.gates, `${name}.dies`))) process.kill(process.pid, 'SIGKILL');
      await setTimeout(5);
    }
    say(`ends ${name}`);
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

const derivations = options.steps.map((name) => command(name));
const { steps, idOf } = stepSource(...derivations);
await store.records.update((records) => {
  for (const [at, name] of options.steps.entries())
    records.putDuration(`${name}@x86_64-linux`, (options.steps.length - at) * 1000);
});
const workshop = new Workshop({
  store,
  capacities: new Map(),
  executors: [
    {
      pool: 'run:gates',
      platforms: ['x86_64-linux'],
      slots: options.jobs,
      open: () => Promise.resolve(executor),
    },
  ],
  fetch: () => Promise.reject(new Error('nothing is fetched')),
  unpack: () => Promise.reject(new Error('nothing is unpacked')),
  close: () => Promise.resolve(),
});
const build = new Build(workshop, {
  steps,
  sandbox: undefined,
  sources: { mirrors: {}, lock: () => Promise.reject(new Error('nothing is pinned')), offline: true },
  signal: new AbortController().signal,
  emit: (event) => {
    if (event.type === 'step-waiting') say(`waits for ${event.step.name}`);
    if (event.type === 'step-finished') say(`has ${event.step.name} ${event.outcome.kind}`);
  },
});
await build.realise(derivations.map(idOf));
await workshop.close();
await store.close();
