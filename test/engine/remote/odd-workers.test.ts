// Steps at servers that do what Debian's does not: they have no room, go away for good, and stream logs. A real gRPC server says what
// each test has it say; what it does not do is done here, in real sandboxes.

import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Build } from '../../../engine/build.ts';
import type { Event, Outcome } from '../../../engine/events.ts';
import type { Executor, ExecutorOffer } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { run } from '../../../engine/model/derivation.ts';
import { remote } from '../../../engine/model/remote.ts';
import { places } from '../../../engine/remote/input-root.ts';
import { RemoteOffer } from '../../../engine/remote/remote-offer.ts';
import { Workshop } from '../../../engine/workshop.ts';
import { digestOf } from '../../../store/base/digest.ts';
import { noSources } from '../../support/played-commands.ts';
import { ReapiServer, type AskedAction } from '../../support/reapi-server.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest } from '../../support/sandbox-run.ts';
import { command, stepSource } from '../../support/steps.ts';
import { remoteExecutor } from '../../support/worker-server.ts';
import { usualPace } from '../../../engine/schedule/pace.ts';

let fixture: SandboxFixture;

beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

/** Nothing is to be waited for. */
const isFull = (asked: AskedAction): void => asked.fail(status.RESOURCE_EXHAUSTED, 3_600_000);

type Opening = (server: ReapiServer) => Promise<Executor>;

/** Asks nobody before there is something to do. */
const opened: Opening = ({ url }) =>
  remoteExecutor(fixture, url, 'in a folder', { patience: { pauseMs: 1 } });

/** Asks what the server is, as it is done outside tests. */
const askedFirst: Opening = async ({ url }) => {
  const tree = await fixture.toolTree();
  const offer = new RemoteOffer(fixture.store, remote({ endpoint: url, shared: true }), {});
  return offer.open({ tree, folder: () => Promise.resolve(fixture.toolFolder) });
};

interface Rig {
  readonly isShared: boolean;
  readonly server: ReapiServer;
  readonly open?: Opening;
}

/** What comes of steps that a server is given, by their names. */
async function realised(names: readonly string[], { isShared, server, open = opened }: Rig) {
  const { store, tool } = fixture;
  const offer = { platforms: ['x86_64-linux'], slots: 1, pace: usualPace, coresOf: () => 1 } as const;
  let openings = 0;
  const away: ExecutorOffer = {
    ...{ ...offer, pool: 'run:away', isHere: false, isKnownThere: () => true },
    open: () => {
      openings += 1;
      return open(server);
    },
  };
  const here: ExecutorOffer = {
    ...{ ...offer, pool: 'run:here', isHere: true, isKnownThere: () => true },
    open: () => createLocalExecutor({ store, tool }),
  };
  const workshop = new Workshop({
    store,
    capacities: new Map([['inline', 4]]),
    executors: [away, here],
    overflows: isShared,
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    close: () => Promise.resolve(),
  });
  onTestFinished(() => workshop.close());
  const root = command('root');
  const wanted = names.map((name) =>
    run({ name, layers: [root], argv: ['/bin/sh', '-euc', `echo ${name} > $out/text`] }),
  );
  const { steps, idOf } = stepSource(...wanted);
  await store.records.update((records) => {
    const outputs = { out: { kind: 'tree', digest: fixture.root } as const };
    records.putMemo({ derivation: idOf(root), action: digestOf(Buffer.from('root')), outputs });
  });
  const notices: string[] = [];
  const outcomes: Record<string, Outcome> = {};
  const emit = (event: Event): void => {
    if (event.type === 'notice') notices.push(event.message);
    if (event.type === 'step-finished') outcomes[event.step.name] = event.outcome;
  };
  const { signal } = new AbortController();
  const build = new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
  const { ok } = await build.realise(wanted.map(idOf), { keepGoing: true });
  return { ok, notices, outcomes, openings };
}

function whereBuilt(outcomes: Readonly<Record<string, Outcome>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(outcomes).map(([name, outcome]) => [
      name,
      outcome.kind === 'built' ? (outcome.remote?.executor ?? 'here') : outcome.kind,
    ]),
  );
}

test('what a server has no room for is done here, where that may be', async () => {
  const server = await ReapiServer.start({ execute: isFull });
  const { ok, notices, outcomes } = await realised(['given-back'], { isShared: true, server });
  expect([ok, whereBuilt(outcomes)]).toEqual([true, { 'given-back': 'here' }]);
  expect(notices).toEqual([expect.stringMatching(/ has no room for given-back: .*; it is done elsewhere$/)]);
  expect(notices[0]).toContain(server.url);
});

test('else it fails with what to do about it, which is no failure of the step itself', async () => {
  const server = await ReapiServer.start({ execute: isFull });
  const { ok, notices, outcomes } = await realised(['refused'], { isShared: false, server });
  expect([ok, notices]).toEqual([false, []]);
  expect(outcomes['refused']).toMatchObject({
    kind: 'failed',
    failure: {
      code: 'EXECUTOR_FULL',
      reason: { kind: 'input' },
      message: expect.stringContaining('RESOURCE_EXHAUSTED') as string,
      hint: expect.stringContaining('shared') as string,
    },
  });
});

test('what is given to a server that is not there is done here, where that may be, and it is asked once', async () => {
  const server = await ReapiServer.start();
  server.goAway();
  const names = ['down-1', 'down-2', 'down-3', 'down-4'];
  const rig = { isShared: true, server, open: askedFirst };
  const { ok, notices, outcomes, openings } = await realised(names, rig);
  expect([ok, whereBuilt(outcomes)]).toEqual([true, Object.fromEntries(names.map((name) => [name, 'here']))]);
  expect(openings).toBe(1);
  expect(notices).toEqual([
    expect.stringMatching(/ cannot be asked to run anything: .*; it is given nothing for a minute, and /),
  ]);
  expect(notices[0]).toContain(server.url);
});

test('what a server that goes away was doing is done here, where that may be, once it does not come back', async () => {
  const server: ReapiServer = await ReapiServer.start({
    execute: (asked) => {
      asked.isUnderWay('');
      setImmediate(() => server.goAway());
    },
  });
  const { ok, notices, outcomes } = await realised(['left-1', 'left-2'], { isShared: true, server });
  expect([ok, whereBuilt(outcomes)]).toEqual([true, { 'left-1': 'here', 'left-2': 'here' }]);
  expect(notices).toEqual([
    expect.stringMatching(/ could not run left-\d: .*; it is given nothing for a minute/),
  ]);
});

test('an action that comes to nothing is done here, where that may be, and is no reason to ask the server nothing more', async () => {
  const server = await ReapiServer.start({
    execute: (asked) => {
      if (asked.nth < 3) asked.end({ status: { code: status.INTERNAL, message: 'the worker is gone' } });
      else isFull(asked);
    },
  });
  const { ok, notices, outcomes } = await realised(['unlucky', 'next'], { isShared: true, server });
  expect([ok, whereBuilt(outcomes)]).toEqual([true, { unlucky: 'here', next: 'here' }]);
  expect(server.calls.filter((name) => name === 'Execute').length).toBeGreaterThanOrEqual(3);
  expect(notices[0]).toMatch(/ could not run (unlucky|next): .*the worker is gone; it is done elsewhere$/);
  expect(notices.join()).not.toContain('given nothing');
});

test('what a worker did on a full disk is not believed: it is tried again, and then done here, where that may be', async () => {
  const status = { path: places.status, contents: Buffer.from('{"exit-code":0}\n') };
  const server = await ReapiServer.start({
    execute: (asked) => {
      // Nothing but the name can be written to such a disk, or that it is full.
      const excess = { path: places.excess, contents: Buffer.from(asked.nth === 0 ? '' : 'disk-full') };
      asked.end({ result: { exitCode: 137, outputFiles: [status, excess] } });
    },
  });
  const { ok, notices, outcomes } = await realised(['crowded'], { isShared: true, server });
  expect([ok, whereBuilt(outcomes)]).toEqual([true, { crowded: 'here' }]);
  expect(server.calls.filter((name) => name === 'Execute')).toHaveLength(3);
  expect(notices).toEqual([
    expect.stringMatching(
      / could not run crowded: the disk of its worker was full while it ran; it is done elsewhere$/,
    ),
  ]);
});

test('without another executor each fails that a server which is not there was given, and says what to do', async () => {
  const server = await ReapiServer.start();
  server.goAway();
  const rig = { isShared: false, server, open: askedFirst };
  const { ok, notices, outcomes } = await realised(['lost-1', 'lost-2'], rig);
  expect([ok, notices]).toEqual([false, []]);
  const failed = {
    kind: 'failed',
    failure: { code: 'EXECUTOR_FAILED', hint: expect.stringContaining('shared') as string },
  };
  expect(outcomes).toMatchObject({ 'lost-1': failed, 'lost-2': failed });
});

test('a server that does not let us is no case for another executor: that is for a person to see', async () => {
  const server = await ReapiServer.start({ execute: (asked) => asked.fail(status.PERMISSION_DENIED) });
  const { ok, notices, outcomes } = await realised(['forbidden'], { isShared: true, server });
  expect([ok, notices]).toEqual([false, []]);
  expect(outcomes['forbidden']).toMatchObject({ failure: { code: 'EXECUTOR_FAILED' } });
});

test('a log is seen while a step is done, once, and is kept as it came with the result', async () => {
  let finish: () => void = () => undefined;
  const report = Buffer.from('{"exit-code":3}\n');
  const server = await ReapiServer.start({
    execute: (asked) => {
      asked.isUnderWay('logs/it');
      finish = () =>
        asked.end({
          result: {
            exitCode: 0,
            stdoutRaw: Buffer.from('first ä\nlast\n'),
            outputFiles: [{ path: places.status, contents: report }],
          },
        });
    },
    log: (asked) => asked.write('first ä\n'),
  });
  const executor = await remoteExecutor(fixture, server.url, 'in a folder');
  onTestFinished(() => executor.close());
  let seen = '';
  const running = execute(executor, scriptRequest(fixture, 'it'), { onOutput: (text) => (seen += text) });
  await expect.poll(() => seen).toBe('first ä\n');
  finish();
  expect((await running).result).toMatchObject({
    kind: 'failed',
    reason: { kind: 'exit', status: 3 },
    logTail: ['first ä', 'last'],
  });
  expect(seen).toBe('first ä\nlast\n');
});
