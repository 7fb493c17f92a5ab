// Builds steps whose commands are played: each says that it runs, and ends when a file by its name is in a folder of
// gates, or has its process die there. What happens is written to a log that several such processes may share. The store,
// the locks between processes, the planner and the scheduler are the real ones.

import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Build } from '../../../engine/build.ts';
import { openStore } from '../../../store/index.ts';
import { noSources, playedWorkshop } from '../played-commands.ts';
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

const workshop = playedWorkshop({
  store,
  jobs: options.jobs,
  run: async (name) => {
    say(`runs ${name}`);
    while (!existsSync(join(options.gates, name))) {
      if (existsSync(join(options.gates, `${name}.dies`))) process.kill(process.pid, 'SIGKILL');
      await setTimeout(5);
    }
    say(`ends ${name}`);
  },
});

const derivations = options.steps.map((name) => command(name));
const { steps, idOf } = stepSource(...derivations);
await store.records.update((records) => {
  for (const [at, name] of options.steps.entries())
    records.putDuration(`${name}@x86_64-linux`, (options.steps.length - at) * 1000);
});
const build = new Build(workshop, {
  steps,
  sandbox: undefined,
  sources: noSources,
  signal: new AbortController().signal,
  emit: (event) => {
    if (event.type === 'step-waiting') say(`waits for ${event.step.name}`);
    if (event.type === 'step-finished') say(`has ${event.step.name} ${event.outcome.kind}`);
  },
});
await build.realise(derivations.map(idOf));
await workshop.close();
await store.close();
