// One jobserver for all builds: who gets a token, what make does with the others, and that none is lost for good.

import { closeSync, constants, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { createJobserver, type Jobserver, type Token } from '../../../engine/schedule/jobserver.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, treeOf } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

const { signal } = new AbortController();

async function jobserverWith(slots: number): Promise<Jobserver> {
  const jobserver = await createJobserver({ folder: tempFolder('jobs'), slots, tool: fixture.tool });
  onTestFinished(() => jobserver.close());
  return jobserver;
}

/** Takes every token that is free, as make would; gives how many there were. */
function drain({ path }: Jobserver): number {
  const fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const tokens = Buffer.alloc(1000);
  try {
    return readSync(fifo, tokens);
  } catch {
    return 0;
  } finally {
    closeSync(fifo);
  }
}

test('gives out as many tokens as there are slots', async () => {
  const jobserver = await jobserverWith(2);
  const tokens = [await jobserver.acquire(signal), await jobserver.acquire(signal)];
  expect(drain(jobserver)).toBe(0);
  for (const token of tokens) token.release();
  expect(drain(jobserver)).toBe(2);
});

test('lets others wait, and serves them in the order they came', async () => {
  const jobserver = await jobserverWith(1);
  const first = await jobserver.acquire(signal);
  const order: string[] = [];
  const wait = async (name: string): Promise<void> => {
    const token = await jobserver.acquire(signal);
    order.push(name);
    token.release();
  };
  const waiting = Promise.all([wait('second'), wait('third')]);
  first.release();
  await waiting;
  expect(order).toEqual(['second', 'third']);
});

test('stops waiting when it is told to, without losing a token', async () => {
  const jobserver = await jobserverWith(1);
  const token = await jobserver.acquire(signal);
  const stop = new AbortController();
  const waiting = jobserver.acquire(stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  token.release();
  expect(drain(jobserver)).toBe(1);
});

test('takes a token back once, however often it is released', async () => {
  const jobserver = await jobserverWith(2);
  const [one, other] = [await jobserver.acquire(signal), await jobserver.acquire(signal)];
  one.release();
  one.release();
  expect(drain(jobserver)).toBe(1);
  other.release();
});

test('has all tokens again after a build that took some was killed, or one that added some', async () => {
  const jobserver = await jobserverWith(3);
  const token = await jobserver.acquire(signal);
  expect(drain(jobserver)).toBe(2);
  token.release();
  const all = [
    await jobserver.acquire(signal),
    await jobserver.acquire(signal),
    await jobserver.acquire(signal),
  ];
  writeFileSync(jobserver.path, '++++');
  for (const one of all) one.release();
  expect(drain(jobserver)).toBe(3);
});

test('a build that fills the fifo with tokens neither ends the engine nor is believed when a build ends', async () => {
  const jobserver = await jobserverWith(3);
  const [one, other] = [await jobserver.acquire(signal), await jobserver.acquire(signal)];
  const fifo = openSync(jobserver.path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(fifo));
  const fill = (): void => {
    try {
      for (;;) writeSync(fifo, Buffer.alloc(4096, '+'));
    } catch {
      // It is full.
    }
  };
  fill();
  one.release();
  expect(drain(jobserver)).toBe(2);
  fill();
  other.release();
  expect(drain(jobserver)).toBe(3);
});

test('two builds share the slots: together their makes never run more jobs than that', async () => {
  const slots = 3;
  const jobserver = await jobserverWith(slots);
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool, jobs: jobserver });
  onTestFinished(() => executor.close());
  // Jobs say when they begin and end, in ticks since the machine's start, when the process that reads them was started: what
  // two builds write may be read in any order.
  const makefile = `all: ${Array.from({ length: 8 }, (_, at) => `job${at}`).join(' ')}
job%: ; @now() { cut -d ' ' -f 22 /proc/self/stat; }; since=$$(now); sleep 0.1; until=$$(now); echo job $$since $$until
`;
  const inputs = [{ path: '/Makefile', node: await treeOf(fixture.store, makefile) }];
  let written = '';
  const build = async (): Promise<void> => {
    const token = await jobserver.acquire(signal);
    const request = scriptRequest(fixture, 'make -f /Makefile', { inputs });
    const { result } = await execute(executor, request, { onOutput: (text) => (written += text) });
    token.release();
    expect(result.kind).toBe('succeeded');
  };
  await Promise.all([build(), build()]);
  const jobs = [...written.matchAll(/^job (\S+) (\S+)$/gm)].map(([, since, until]) => ({
    since: Number(since),
    until: Number(until),
  }));
  expect(jobs).toHaveLength(16);
  const most = Math.max(
    ...jobs.map(({ since }) => jobs.filter((job) => job.since <= since && since < job.until).length),
  );
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(slots);
  expect(drain(jobserver)).toBe(slots);
});

test('a build that waits gets its turn while another has more jobs than there are slots', async () => {
  const jobserver = await jobserverWith(2);
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool, jobs: jobserver });
  onTestFinished(() => executor.close());
  const makefile = `all: ${Array.from({ length: 40 }, (_, at) => `job${at}`).join(' ')}\njob%: ; @sleep 0.05\n`;
  const inputs = [{ path: '/Makefile', node: await treeOf(fixture.store, makefile) }];
  let busyIsDone = false;
  const token = await jobserver.acquire(signal);
  const busy = execute(executor, scriptRequest(fixture, 'echo begun; make -f /Makefile', { inputs }), {
    onOutput: () => void waitForTurn(),
  }).then(() => {
    busyIsDone = true;
    token.release();
  });
  let turn: ((token: Token) => void) | undefined;
  const got = new Promise<Token>((resolve) => (turn = resolve));
  const waitForTurn = async (): Promise<void> => {
    await new Promise((later) => setTimeout(later, 200));
    turn?.(await jobserver.acquire(signal));
  };
  const second = await got;
  expect(busyIsDone).toBe(false);
  second.release();
  await busy;
});
