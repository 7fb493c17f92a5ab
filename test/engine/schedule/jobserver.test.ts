// One jobserver for all builds: who gets a token, what make does with the others, and that a build can keep, lose or invent
// only its own.

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import type { Executor } from '../../../engine/execute/executor.ts';
import { Jobserver, type Share } from '../../../engine/schedule/jobserver.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, treeOf } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

const { signal } = new AbortController();

/** A build's side of its fifo. */
class Fifo {
  readonly path = join(tempFolder('jobs'), 'fifo');
  readonly #open: number;

  constructor() {
    const [program, ...args] = fixture.tool.mkfifo;
    execFileSync(program!, [...args, this.path]);
    this.#open = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(this.#open));
  }

  /** Takes every token that is free, as make would; gives how many there were. */
  drain(): number {
    try {
      return readSync(this.#open, Buffer.alloc(1000));
    } catch {
      return 0;
    }
  }

  give(count: number): void {
    writeSync(this.#open, Buffer.alloc(count, '+'));
  }

  fill(): void {
    try {
      for (;;) this.give(4096);
    } catch {
      // It is full.
    }
  }
}

/** How many tokens a build has that is alone. */
async function tokensAlone(jobs: Jobserver): Promise<number> {
  const fifo = new Fifo();
  const share = await jobs.join(fifo.path, signal);
  const count = 1 + fifo.drain();
  share.leave();
  return count;
}

test('a build that is alone has all tokens, its own and those in its fifo', async () => {
  for (const slots of [1, 2, 7]) expect(await tokensAlone(new Jobserver(slots))).toBe(slots);
});

test('what nobody has taken is dealt out evenly when a build joins, and when one leaves', async () => {
  const jobs = new Jobserver(6);
  const fifos = [new Fifo(), new Fifo()] as const;
  const shares = [await jobs.join(fifos[0].path, signal), await jobs.join(fifos[1].path, signal)] as const;
  expect(fifos.map((fifo) => fifo.drain())).toEqual([2, 2]);
  fifos[0].give(2);
  shares[1].leave();
  expect(fifos[0].drain()).toBe(5);
  shares[0].leave();
});

test('tokens that one build leaves lying go on to the one that takes them', async () => {
  const jobs = new Jobserver(8);
  const [idle, busy] = [new Fifo(), new Fifo()];
  const shares = [await jobs.join(idle.path, signal), await jobs.join(busy.path, signal)];
  let taken = 0;
  await expect.poll(() => (taken += busy.drain())).toBe(6);
  expect(idle.drain()).toBe(0);
  for (const share of shares) share.leave();
  expect(await tokensAlone(jobs)).toBe(8);
});

test('lets others wait, and serves them in the order they came', async () => {
  const jobs = new Jobserver(1);
  const first = await jobs.join(undefined, signal);
  const order: string[] = [];
  const wait = async (name: string): Promise<void> => {
    const share = await jobs.join(new Fifo().path, signal);
    order.push(name);
    share.leave();
  };
  const waiting = Promise.all([wait('second'), wait('third')]);
  first.leave();
  await waiting;
  expect(order).toEqual(['second', 'third']);
});

test('takes what lies in a fifo for a build that would wait', async () => {
  const jobs = new Jobserver(2);
  const fifo = new Fifo();
  const first = await jobs.join(fifo.path, signal);
  const second = await jobs.join(undefined, signal);
  expect(fifo.drain()).toBe(0);
  second.leave();
  first.leave();
});

test('a build that waits gets the first token that another gives back', async () => {
  const jobs = new Jobserver(2);
  const fifo = new Fifo();
  const first = await jobs.join(fifo.path, signal);
  expect(fifo.drain()).toBe(1);
  const waiting = jobs.join(undefined, signal);
  fifo.give(1);
  const second = await waiting;
  expect(fifo.drain()).toBe(0);
  second.leave();
  first.leave();
  expect(await tokensAlone(jobs)).toBe(2);
});

test('stops waiting when it is told to, without losing a token', async () => {
  const jobs = new Jobserver(1);
  const first = await jobs.join(undefined, signal);
  const stop = new AbortController();
  const waiting = jobs.join(undefined, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  first.leave();
  expect(await tokensAlone(jobs)).toBe(1);
});

test('takes a share back once, however often it is left', async () => {
  const jobs = new Jobserver(2);
  const [one, other] = [await jobs.join(undefined, signal), await jobs.join(undefined, signal)];
  one.leave();
  one.leave();
  let isIn = false;
  const shares = [await jobs.join(undefined, signal)];
  const third = jobs.join(undefined, signal).then((share) => {
    isIn = true;
    shares.push(share);
  });
  await new Promise(setImmediate);
  expect(isIn).toBe(false);
  other.leave();
  await third;
  for (const share of shares) share.leave();
  expect(await tokensAlone(jobs)).toBe(2);
});

const misdeeds: Readonly<Record<string, (fifo: Fifo) => void>> = {
  'takes all tokens and is killed': (fifo) => void fifo.drain(),
  'gives back more than it took': (fifo) => fifo.give(5),
  'fills its fifo': (fifo) => fifo.fill(),
};

test.each(Object.entries(misdeeds))('all tokens are there again after a build that %s', async (_, act) => {
  const jobs = new Jobserver(3, { patienceMs: 20 });
  const [bad, good] = [new Fifo(), new Fifo()];
  const shares = [await jobs.join(bad.path, signal), await jobs.join(good.path, signal)];
  act(bad);
  const third = await jobs.join(undefined, signal);
  for (const share of [...shares, third]) share.leave();
  expect(await tokensAlone(jobs)).toBe(3);
});

test('what a build invents is nobody else’s', async () => {
  const jobs = new Jobserver(4, { patienceMs: 3_600_000 });
  const [bad, good] = [new Fifo(), new Fifo()];
  const shares = [await jobs.join(bad.path, signal), await jobs.join(good.path, signal)];
  let taken = 0;
  await expect
    .poll(() => {
      bad.fill();
      return (taken += good.drain());
    })
    .toBe(2);
  // Whoever waits now is not served by what the other writes.
  let isIn = false;
  const waiting = jobs.join(undefined, signal).then((share) => {
    isIn = true;
    return share;
  });
  for (let round = 0; round < 20; round++) {
    bad.fill();
    await new Promise((later) => setTimeout(later, 10));
  }
  expect(isIn).toBe(false);
  good.give(1);
  for (const share of [await waiting, ...shares]) share.leave();
  expect(await tokensAlone(jobs)).toBe(4);
});

test('a build that keeps all tokens does not keep others from beginning', async () => {
  const jobs = new Jobserver(3, { patienceMs: 20 });
  const greedy = new Fifo();
  const first = await jobs.join(greedy.path, signal);
  expect(greedy.drain()).toBe(2);
  const others = [await jobs.join(new Fifo().path, signal), await jobs.join(new Fifo().path, signal)];
  // What it gives back now has been used already.
  greedy.give(2);
  for (const share of [...others, first]) share.leave();
  expect(await tokensAlone(jobs)).toBe(3);
});

async function executorWith(jobs: Jobserver): Promise<Executor> {
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool, jobs });
  onTestFinished(() => executor.close());
  return executor;
}

test('two builds share the slots: together their makes never run more jobs than that', async () => {
  const slots = 3;
  const jobs = new Jobserver(slots);
  const executor = await executorWith(jobs);
  // Jobs say when they begin and end, in ticks since the machine's start, when the process that reads them was started: what
  // two builds write may be read in any order.
  const makefile = `all: ${Array.from({ length: 8 }, (_, at) => `job${at}`).join(' ')}
job%: ; @now() { cut -d ' ' -f 22 /proc/self/stat; }; since=$$(now); sleep 0.1; until=$$(now); echo job $$since $$until
`;
  const inputs = [{ path: '/Makefile', node: await treeOf(fixture.store, makefile) }];
  let written = '';
  const build = async (): Promise<void> => {
    const request = scriptRequest(fixture, 'make -f /Makefile', { inputs });
    const { result } = await execute(executor, request, { onOutput: (text) => (written += text) });
    expect(result.kind).toBe('succeeded');
  };
  await Promise.all([build(), build()]);
  const ran = [...written.matchAll(/^job (\S+) (\S+)$/gm)].map(([, since, until]) => ({
    since: Number(since),
    until: Number(until),
  }));
  expect(ran).toHaveLength(16);
  const most = Math.max(
    ...ran.map(({ since }) => ran.filter((job) => job.since <= since && since < job.until).length),
  );
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(slots);
  expect(await tokensAlone(jobs)).toBe(slots);
});

test('a build that waits gets its turn while another has more jobs than there are slots', async () => {
  const jobs = new Jobserver(2, { patienceMs: 3_600_000 });
  const executor = await executorWith(jobs);
  const makefile = `all: ${Array.from({ length: 40 }, (_, at) => `job${at}`).join(' ')}\njob%: ; @sleep 0.05\n`;
  const inputs = [{ path: '/Makefile', node: await treeOf(fixture.store, makefile) }];
  let busyIsDone = false;
  let turn: ((share: Share) => void) | undefined;
  const got = new Promise<Share>((resolve) => (turn = resolve));
  const waitForTurn = async (): Promise<void> => {
    await new Promise((later) => setTimeout(later, 200));
    turn?.(await jobs.join(undefined, signal));
  };
  const busy = execute(executor, scriptRequest(fixture, 'echo begun; make -f /Makefile', { inputs }), {
    onOutput: () => void waitForTurn(),
  }).then(() => (busyIsDone = true));
  const second = await got;
  expect(busyIsDone).toBe(false);
  second.leave();
  await busy;
});

test('steps have a fifo each, which they can neither shut nor read of others', async () => {
  const jobs = new Jobserver(4);
  const executor = await executorWith(jobs);
  const bad =
    'chmod 000 /dev/jobserver /proc/self/fd/1; exec 3<>/dev/jobserver; head -c 60000 /dev/zero >&3; exit 3';
  const good = 'exec 3<>/dev/jobserver; sleep 0.3; head -c 1 <&3 > $out/file; sleep 0.3';
  for (let round = 0; round < 3; round++) {
    const ended = await Promise.all(
      [bad, good, bad, good].map((script) => execute(executor, scriptRequest(fixture, script))),
    );
    for (const [at, { result, text }] of ended.entries())
      expect(result.kind, text).toBe(at % 2 === 0 ? 'failed' : 'succeeded');
    expect(await tokensAlone(jobs)).toBe(4);
  }
});
