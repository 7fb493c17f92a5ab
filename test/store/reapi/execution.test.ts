// How an action is followed through a server: one whose queue is full, and one that streams logs. A real gRPC server says what each
// test has it say, since Debian's does neither.

import { status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { QueueFull, type Executed } from '../../../store/reapi/index.ts';
import {
  ReapiServer,
  statusWith,
  type AskedAction,
  type ServerBehaviour,
} from '../../support/reapi-server.ts';

const action = digestOf(Buffer.from('an action'));
const hourMs = 3_600_000;

async function started(behaviour: ServerBehaviour, pauseMs = 5) {
  const server = await ReapiServer.start(behaviour);
  const client = new ReapiClient(server.url, { patience: { pauseMs } });
  onTestFinished(() => client.close());
  const { signal } = new AbortController();
  const pieces: [text: string, offset: number][] = [];
  const onOutput = (bytes: Uint8Array, offset: number): void =>
    void pieces.push([Buffer.from(bytes).toString(), offset]);
  const execute = (): Promise<Executed> => client.execute(action, { signal, onOutput });
  const sent = (): number => server.calls.filter((call) => call === 'Execute').length;
  return { server, execute, sent, pieces };
}

const exits = (exitCode: number) => ({ result: { exitCode } });

describe('a server whose queue is full', () => {
  const ways: [string, (asked: AskedAction, retryAfterMs?: number) => void][] = [
    ['the call', (asked, retryAfterMs) => asked.fail(status.RESOURCE_EXHAUSTED, retryAfterMs)],
    [
      'the action’s end',
      (asked, retryAfterMs) => asked.end({ status: statusWith(status.RESOURCE_EXHAUSTED, retryAfterMs) }),
    ],
  ];

  describe.each(ways)('as %s says', (_, isFull) => {
    test('is asked again until it has room, more often than one that is gone', async () => {
      const { execute, sent } = await started({
        execute: (asked) => (asked.nth < 6 ? isFull(asked) : asked.end(exits(0))),
      });
      expect(await execute()).toMatchObject({ kind: 'ended', status: 0 });
      expect(sent()).toBe(7);
    });

    test('is not asked for ever', async () => {
      const { execute, sent } = await started({ execute: (asked) => isFull(asked) }, 0.5);
      await expect(execute()).rejects.toBeInstanceOf(QueueFull);
      expect(sent()).toBeGreaterThan(6);
    });

    test('is asked again when it wants to be', async () => {
      // Patience is for 1,024 ms in all: twice 400.
      const { execute, sent } = await started({ execute: (asked) => isFull(asked, 400) }, 1);
      await expect(execute()).rejects.toBeInstanceOf(QueueFull);
      expect(sent()).toBe(3);
    });

    test('is not waited for at all, when it wants to be asked in an hour', async () => {
      const { execute, sent } = await started({ execute: (asked) => isFull(asked, hourMs) });
      await expect(execute()).rejects.toMatchObject({ kind: 'full', retryAfterMs: hourMs });
      expect(sent()).toBe(1);
    });
  });

  test('is not one whose action fails', async () => {
    const { execute, sent } = await started({ execute: (asked) => asked.end(exits(8)) });
    expect(await execute()).toMatchObject({ kind: 'ended', status: 8 });
    expect(sent()).toBe(1);
  });
});

describe('a log that is streamed', () => {
  test('comes while the action is done', async () => {
    let finish: () => void = () => undefined;
    const { execute, pieces, server } = await started({
      execute: (asked) => {
        asked.isUnderWay('logs/one');
        finish = () => asked.end(exits(0));
      },
      log: (asked) => asked.write('begun\n'),
    });
    const running = execute();
    await expect.poll(() => pieces).toEqual([['begun\n', 0]]);
    finish();
    await running;
    expect(server.calls).toContain('Read logs/one 0');
  });

  test('goes on where it broke off', async () => {
    const { execute, pieces, server } = await started({
      execute: (asked) => asked.isUnderWay('logs/one'),
      log: (asked) => {
        asked.write(asked.offset === 0 ? 'half' : ' and half');
        if (asked.offset === 0) setTimeout(() => asked.breakOff(), 50);
        else asked.end();
      },
    });
    void execute().catch(() => undefined);
    await expect
      .poll(() => pieces)
      .toEqual([
        ['half', 0],
        [' and half', 4],
      ]);
    expect(server.calls.filter((call) => call.startsWith('Read'))).toEqual([
      'Read logs/one 0',
      'Read logs/one 4',
    ]);
  });

  test('begins anew with another try of the action', async () => {
    const { execute, pieces } = await started({
      execute: (asked) => {
        asked.isUnderWay(`logs/${asked.nth}`);
        // Only when what it says was heard, which is what this is about.
        if (asked.nth === 0)
          void expect
            .poll(() => pieces.length)
            .toBe(1)
            .then(() => asked.fail(status.UNAVAILABLE));
      },
      log: (asked) => asked.write(`try ${asked.name}\n`),
    });
    void execute().catch(() => undefined);
    await expect
      .poll(() => pieces)
      .toEqual([
        ['try logs/0\n', 0],
        ['try logs/1\n', 0],
      ]);
  });

  test('may be promised and not be there', async () => {
    let end: () => void = () => undefined;
    const { execute, pieces, server } = await started({
      execute: (asked) => {
        asked.isUnderWay('blobs/nothing/1');
        end = () => asked.end(exits(0));
      },
    });
    const running = execute();
    await expect.poll(() => server.calls).toContain('Read 0');
    end();
    expect(await running).toMatchObject({ kind: 'ended', status: 0 });
    expect(pieces).toEqual([]);
  });
});
