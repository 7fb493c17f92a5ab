// Answers of the Remote Execution API that nobody takes: what is in memory for one connection, and for all of them, is bounded. Whoever
// wants more waits for it, and is not refused; whoever takes nothing keeps nobody else waiting for long.

import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { digestMessage } from '../../../store/reapi/digests.ts';
import { ContentAddressableStorage } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { ByteStream } from '../../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import type { UntakenLimits } from '../../../store/serve/untaken.ts';
import { keptBytes } from '../../support/kept-bytes.ts';
import { definitionOf } from '../../support/grpc-definitions.ts';
import { answersIn, rawCall, rawConnection, type AnyMethod } from '../../support/raw-grpc.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken, type Serving } from '../../support/served-store.ts';

const batchRead = definitionOf(ContentAddressableStorage)['BatchReadBlobs'] as AnyMethod;
const read = definitionOf(ByteStream)['Read'] as AnyMethod;
const { signal } = new AbortController();
/** Together all but as much as one message may hold. */
const small = [1, 2, 3, 4].map((seed) => bytesOf(seed, 1_000_000));
const large = bytesOf(5, 8_000_000);
const batch = { digests: small.map((bytes) => digestMessage(digestOf(bytes))), digestFunction: 1 };

async function serving(untaken: Partial<UntakenLimits>) {
  const limits = { ofOneBytes: 10_000_000, ofAllBytes: 25_000_000, giveWayMs: 60_000, ...untaken };
  const patience = {
    headMs: 400,
    graceMs: 60_000,
    leastBytesPerSecond: 1,
    lookEveryMs: 100,
    untaken: limits,
  };
  const served = await serveStore({ serverOptions: { patience } });
  const { url } = await reapiOf(served);
  const good = new ReapiClient(url, { credentials: { token: writeToken } });
  onTestFinished(() => good.close());
  await good.write([...small, large].map(digestOf), new Blobs(...small, large), signal);
  return { served, url, good };
}

/** What is held, when that has not changed for a while. */
async function settled({ server }: Serving): Promise<number> {
  for (let before = -1; ;) {
    await pause(200);
    const now = server.connections.untakenBytes;
    if (now === before) return now;
    before = now;
  }
}

async function readBy(client: ReapiClient, blobs: readonly Uint8Array[]): Promise<Digest[]> {
  return [...(await readAll(client, blobs.map(digestOf))).values()].map((bytes) => digestOf(bytes));
}

test.each([
  ['batches', batchRead, batch],
  ['streams', read, { resourceName: `blobs/${digestOf(large)}` }],
  ['compressed streams', read, { resourceName: `compressed-blobs/zstd/${digestOf(large)}` }],
  ['small blobs in streams', read, { resourceName: `blobs/${digestOf(small[0]!)}` }],
])(
  'of 100 %s that one connection asks for and does not take, a bounded part is read; others are served, and all comes in the end',
  async (_, method, question) => {
    const { served, url, good } = await serving({});
    const session = await rawConnection(url, { windowBytes: 0 });
    const before = keptBytes();
    const calls = Array.from({ length: 100 }, () => rawCall(session, method, question));
    expect(await settled(served)).toBeGreaterThan(3_000_000);
    expect(served.server.connections.untakenBytes).toBeLessThanOrEqual(10_000_000);
    // As what is read is copied into a message, and that into another.
    expect(keptBytes() - before).toBeLessThan(60_000_000);
    expect(await readBy(good, [large])).toEqual([digestOf(large)]);

    for (const call of calls.slice(4)) call.close();
    session.settings({ initialWindowSize: 1 << 20 });
    const answers = await Promise.all(calls.slice(0, 4).map((call) => answersIn(call, method)));
    expect(new Set(answers.map((answer) => contentOf(answer)))).toEqual(new Set([contentOf(answers[0]!)]));
    expect(contentOf(answers[0]!)).toBeGreaterThanOrEqual(1_000_000);
    await expect.poll(() => served.server.connections.untakenBytes).toBe(0);
    expect(served.errors).toEqual([]);
  },
);

/** Bytes of blobs. */
function contentOf(answers: readonly Record<string, unknown>[]): number {
  const parts = answers.flatMap((answer) =>
    'responses' in answer ? (answer['responses'] as Record<string, unknown>[]) : [answer],
  );
  return parts.reduce((sum, part) => sum + (part['data'] as Uint8Array).byteLength, 0);
}

test('when connections that take nothing have all the room, the one that has had it longest gives way to who waits', async () => {
  const { served, url, good } = await serving({ giveWayMs: 300 });
  const sessions = await Promise.all([1, 2, 3, 4].map(() => rawConnection(url, { windowBytes: 0 })));
  for (const session of sessions) for (let at = 0; at < 5; at++) rawCall(session, batchRead, batch);
  expect(await settled(served)).toBeLessThanOrEqual(25_000_000);
  expect((await readBy(good, small)).sort()).toEqual(small.map(digestOf).sort());
  expect(served.server.connections.cutOff.crowded).toBeGreaterThan(0);
  expect(sessions.some(({ destroyed }) => destroyed)).toBe(true);
  expect(served.errors).toEqual([]);
});

test('who goes away while he waits for room, or has it, leaves none of it behind', async () => {
  const { served, url, good } = await serving({ ofAllBytes: 10_000_000 });
  const session = await rawConnection(url, { windowBytes: 0 });
  const calls = Array.from({ length: 20 }, () => rawCall(session, batchRead, batch));
  expect(await settled(served)).toBeGreaterThan(0);
  for (const call of calls.slice(0, 10)) call.close();
  session.destroy();
  await expect.poll(() => served.server.connections.untakenBytes).toBe(0);
  expect((await readBy(good, small)).sort()).toEqual(small.map(digestOf).sort());
  expect(served.errors).toEqual([]);
});
