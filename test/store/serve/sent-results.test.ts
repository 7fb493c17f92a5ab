// Results of actions that many send at once, large ones, and calls that are broken off in the middle: what is worked on is bounded with all
// else that is, answers that nobody takes are bounded, and nobody who has gone is answered.

import type { ClientHttp2Session } from 'node:http2';
import { expect, test, vi } from 'vitest';
import { digestHash, digestOf } from '../../../store/base/digest.ts';
import { digestMessage } from '../../../store/reapi/digests.ts';
import { ActionCache } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { ByteStream } from '../../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import { definitionOf } from '../../support/grpc-definitions.ts';
import {
  framed,
  openCall,
  rawCall,
  rawConnection,
  statusIn,
  type AnyMethod,
} from '../../support/raw-grpc.ts';
import { bytesOf } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';

const update = definitionOf(ActionCache)['UpdateActionResult'] as AnyMethod;
const get = definitionOf(ActionCache)['GetActionResult'] as AnyMethod;
const write = definitionOf(ByteStream)['Write'] as AnyMethod;
const authorization = `Bearer ${writeToken}`;
const intakeBytes = 8_000_000;
const resultBytes = 700_000;
const actions = Array.from({ length: 24 }, (_, at) => digestOf(Buffer.from(`action ${at}`)));

/** Nothing but what it wrote. */
function resultOf(at: number): Record<string, unknown> {
  const actionResult = { stdoutRaw: bytesOf(at, resultBytes), exitCode: 0 };
  return { actionDigest: digestMessage(actions[at]!), actionResult, digestFunction: 1 };
}

test('of large results that many send at once only as much is worked on as of anything, and all are kept', async () => {
  const serving = await serveStore({ storeOptions: { intakeBytes } });
  const { url } = await reapiOf(serving);
  const { files, intake } = serving.served;
  const keep = files.writeResult.bind(files);
  let [underWayBytes, mostBytes] = [0, 0];
  vi.spyOn(files, 'writeResult').mockImplementation(async (hash, bytes) => {
    underWayBytes += bytes.byteLength;
    mostBytes = Math.max(mostBytes, underWayBytes);
    // As it came, and as what was read in it.
    expect(intake.inMemoryBytes).toBeGreaterThanOrEqual(2 * underWayBytes);
    await keep(hash, bytes);
    underWayBytes -= bytes.byteLength;
  });
  const session = await rawConnection(url);
  const calls = actions.map((_, at) => rawCall(session, update, resultOf(at), authorization));
  const codes = await Promise.all(
    calls.map((call) => {
      const code = statusIn(call);
      call.resume();
      return code;
    }),
  );
  expect(codes).toEqual(actions.map(() => '0'));
  expect(mostBytes).toBeGreaterThanOrEqual(resultBytes);
  expect(mostBytes).toBeLessThanOrEqual(intakeBytes / 2);
  expect([intake.asideBytes, intake.inMemoryBytes]).toEqual([0, 0]);
  for (const action of actions) expect(await files.result(digestHash(action))).toBeDefined();
  expect(serving.errors).toEqual([]);
}, 60_000);

test('answers to results that nobody takes are bounded, and the results are kept all the same', async () => {
  const limits = { ofOneBytes: 4_000_000, ofAllBytes: 10_000_000, giveWayMs: 60_000 };
  const patience = {
    headMs: 10_000,
    graceMs: 600_000,
    leastBytesPerSecond: 1,
    lookEveryMs: 100,
    untaken: limits,
  };
  const serving = await serveStore({ serverOptions: { patience } });
  const { url } = await reapiOf(serving);
  const session = await rawConnection(url, { windowBytes: 0 });
  const calls = actions.map((_, at) => rawCall(session, update, resultOf(at), authorization));
  const { files, intake } = serving.served;
  const kept = async (): Promise<number> =>
    (await Promise.all(actions.map((action) => files.result(digestHash(action))))).filter(Boolean).length;
  await expect.poll(kept, { timeout: 30_000 }).toBe(actions.length);
  await expect.poll(() => intake.inMemoryBytes).toBe(0);
  const { connections } = serving.server;
  await expect.poll(() => connections.untakenBytes).toBeGreaterThan(0);
  expect(connections.untakenBytes).toBeLessThanOrEqual(limits.ofOneBytes);
  for (const call of calls) call.close();
  await expect.poll(() => connections.untakenBytes).toBe(0);
  expect(serving.errors).toEqual([]);
}, 60_000);

// An answer to such a call is an error that nobody would catch.
test('a call that was reset with something of it unread is answered no more, and others are', async () => {
  const serving = await serveStore({ storeOptions: { intakeBytes } });
  const { url } = await reapiOf(serving);
  const { intake } = serving.served;
  const session = await rawConnection(url, { windowBytes: 1 << 20 });
  const blob = bytesOf(1, 100_000);
  const resourceName = `uploads/1/blobs/${digestOf(blob)}`;
  const last = framed(write, { resourceName, data: blob, writeOffset: 0n, finishWrite: true });
  const room = await intake.room(intakeBytes);
  const call = openCall(session, write, authorization);
  call.write(last);
  await expect.poll(() => intake.asideBytes).toBeGreaterThan(0);
  // What follows on the last message nobody reads; it is so little that it is sent all the same.
  call.write(last.subarray(0, 20_000));
  await statusOfQuestion(session);
  // Without an error: of any other reset Node tells at once.
  call.close(0);
  // What came before it has been seen when this is answered.
  await statusOfQuestion(session);
  room[Symbol.dispose]();
  await expect.poll(() => serving.store.blobs.has(digestOf(blob))).toBe(true);
  expect(await statusOfQuestion(session)).toBe('5');
  expect(serving.errors).toEqual([]);
}, 60_000);

/** Of one whose answer is that nothing is known. */
function statusOfQuestion(session: ClientHttp2Session): Promise<string> {
  const question = { actionDigest: digestMessage(actions[0]!), digestFunction: 1 };
  return statusIn(rawCall(session, get, question));
}
