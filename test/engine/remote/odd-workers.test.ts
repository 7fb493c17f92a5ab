// Steps at servers that do what Debian's does not: they have no room, and they stream logs. A real gRPC server says what each test has
// it say; what it has no room for is done here, in real sandboxes.

import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Build } from '../../../engine/build.ts';
import type { Event, Outcome } from '../../../engine/events.ts';
import type { ExecutorOffer } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { run } from '../../../engine/model/derivation.ts';
import { places } from '../../../engine/remote/input-root.ts';
import { Workshop } from '../../../engine/workshop.ts';
import { digestOf } from '../../../store/base/digest.ts';
import { noSources } from '../../support/played-commands.ts';
import { ReapiServer, type AskedAction } from '../../support/reapi-server.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest } from '../../support/sandbox-run.ts';
import { command, stepSource } from '../../support/steps.ts';
import { remoteExecutor } from '../../support/worker-server.ts';

let fixture: SandboxFixture;

beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

/** Nothing is to be waited for. */
const isFull = (asked: AskedAction): void => asked.fail(status.RESOURCE_EXHAUSTED, 3_600_000);

async function realised(name: string, { isShared }: { readonly isShared: boolean }) {
  const { url } = await ReapiServer.start({ execute: isFull });
  const { store, tool } = fixture;
  const offer = { platforms: ['x86_64-linux'], slots: 1, overheadMs: 0, coresOf: () => 1 } as const;
  const away: ExecutorOffer = {
    ...{ ...offer, pool: 'run:away', isHere: false, isKnownThere: () => true },
    open: () => remoteExecutor(fixture, url, 'in a folder'),
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
  const step = run({ name, layers: [root], argv: ['/bin/sh', '-euc', `echo ${name} > $out/text`] });
  const { steps, idOf } = stepSource(step);
  await store.records.update((records) => {
    const outputs = { out: { kind: 'tree', digest: fixture.root } as const };
    records.putMemo({ derivation: idOf(root), action: digestOf(Buffer.from('root')), outputs });
  });
  const notices: string[] = [];
  const outcomes = new Map<string, Outcome>();
  const emit = (event: Event): void => {
    if (event.type === 'notice') notices.push(event.message);
    if (event.type === 'step-finished') outcomes.set(event.step.name, event.outcome);
  };
  const { signal } = new AbortController();
  const build = new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
  const { ok } = await build.realise([idOf(step)]);
  return { ok, notices, outcome: outcomes.get(name)!, url };
}

test('what a server has no room for is done here, where that may be', async () => {
  const { ok, notices, outcome, url } = await realised('given-back', { isShared: true });
  expect([ok, outcome.kind]).toEqual([true, 'built']);
  expect(outcome).not.toHaveProperty('remote.executor');
  expect(notices).toEqual([expect.stringMatching(/ has no room for given-back: .*; it is done elsewhere$/)]);
  expect(notices[0]).toContain(url);
});

test('else it fails with what to do about it, which is no failure of the step itself', async () => {
  const { ok, notices, outcome } = await realised('refused', { isShared: false });
  expect([ok, notices]).toEqual([false, []]);
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: {
      code: 'EXECUTOR_FULL',
      reason: { kind: 'input' },
      message: expect.stringContaining('RESOURCE_EXHAUSTED') as string,
      hint: expect.stringContaining('shared') as string,
    },
  });
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
