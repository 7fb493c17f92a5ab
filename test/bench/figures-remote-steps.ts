// What a command that is done elsewhere costs this machine: trivial ones, on the workers of a buildbox-casd beside it.

import { join } from 'node:path';
import { Build } from '../../engine/build.ts';
import type { ExecutorOffer } from '../../engine/execute/executor.ts';
import { compose, run } from '../../engine/model/derivation.ts';
import { Workshop } from '../../engine/workshop.ts';
import { digestOf } from '../../store/base/digest.ts';
import { unpackBuildbox } from '../support/buildbox.ts';
import { noSources } from '../support/played-commands.ts';
import { sandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';
import { command, stepSource } from '../support/steps.ts';
import { remoteExecutor, startWorkers } from '../support/worker-server.ts';
import { atMost, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { usualPace } from '../../engine/schedule/pace.ts';

const count = 1000;
/** As many as there are workers. */
const slots = 2;
const boundMs = 15;

export function remoteSteps(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const buildbox = await unpackBuildbox(join(folder, 'buildbox'));
    if (typeof buildbox === 'string')
      return [{ what: 'remote steps', measured: '', command: '', ...withoutPeer(buildbox, '') }];
    const fixture = await sandboxFixture();
    const { toolFolder } = fixture;
    const server = await startWorkers(buildbox, 'in a folder', {
      folder: join(folder, 'server'),
      toolFolder,
    });
    try {
      return [await measured(fixture, server.url)];
    } finally {
      await server.stop();
      await fixture.close();
    }
  });
}

async function measured(fixture: SandboxFixture, url: string): Promise<Figure> {
  const workshop = workshopAt(fixture, url);
  try {
    // So that what happens once, such as sending the root, is not counted.
    await build(workshop, fixture, 1, 'first');
    const started = performance.now();
    const before = process.cpuUsage();
    await build(workshop, fixture, count, 'step');
    const { user, system } = process.cpuUsage(before);
    const eachMs = (user + system) / 1000 / count;
    return {
      what: `${count.toLocaleString('en')} trivial commands on ${slots} workers: our processor time for each`,
      measured: `${eachMs.toFixed(1)} ms`,
      yardstick: `${boundMs} ms; ${seconds(performance.now() - started)} in all`,
      ...atMost(eachMs / boundMs, 1),
      command: 'build.realise(…), with process.cpuUsage() around it',
    };
  } finally {
    await workshop.close();
  }
}

function workshopAt(fixture: SandboxFixture, url: string): Workshop {
  const offer: ExecutorOffer = {
    ...{ pool: 'run:away', platforms: ['x86_64-linux'], slots, isHere: false },
    ...{ pace: usualPace, coresOf: () => 1, isKnownThere: () => true },
    open: () => remoteExecutor(fixture, url, 'in a folder'),
  };
  return new Workshop({
    store: fixture.store,
    capacities: new Map([['inline', 64]]),
    executors: [offer],
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    close: () => Promise.resolve(),
  });
}

async function build(
  workshop: Workshop,
  fixture: SandboxFixture,
  steps: number,
  name: string,
): Promise<void> {
  const root = command('root');
  const parts = Array.from({ length: steps }, (_, at) => ({
    input: run({
      ...{ name: `${name}-${at}`, layers: [root], argv: ['/bin/true'], env: { AT: `${name}-${at}` } },
      mayBeEmpty: ['out'],
    }),
    at: String(at),
  }));
  const all = compose({ name, parts });
  const { steps: source, idOf } = stepSource(all);
  await fixture.store.records.update((records) => {
    const outputs = { out: { kind: 'tree', digest: fixture.root } as const };
    records.putMemo({ derivation: idOf(root), action: digestOf(Buffer.from('root')), outputs });
  });
  const { signal } = new AbortController();
  const wish = { steps: source, sandbox: undefined, sources: noSources, emit: () => undefined, signal };
  const { ok } = await new Build(workshop, wish).realise([idOf(all)]);
  if (!ok) throw new Error('the commands could not be done');
}
