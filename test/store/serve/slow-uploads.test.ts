// Many who push at once, some of them slowly: what has come of theirs lies on the disk, so that it costs no memory, and nobody waits for
// it. Who shows no token has nothing of what he sends read.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { digestHash, digestOf } from '../../../store/base/digest.ts';
import { encodePieces, joined } from '../../../store/caches/pieces.ts';
import { compressFrame } from '../../../store/caches/zstd.ts';
import { digestMessage } from '../../../store/reapi/digests.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { ContentAddressableStorage } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { ByteStream } from '../../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import { definitionOf } from '../../support/grpc-definitions.ts';
import { keptBytes } from '../../support/kept-bytes.ts';
import { framed, openCall, rawConnection, statusIn, type AnyMethod } from '../../support/raw-grpc.ts';
import { ask, connection } from '../../support/raw-http.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken, type Serving } from '../../support/served-store.ts';

const batchUpdate = definitionOf(ContentAddressableStorage)['BatchUpdateBlobs'] as AnyMethod;
const write = definitionOf(ByteStream)['Write'] as AnyMethod;
const authorization = `Bearer ${writeToken}`;
const { signal } = new AbortController();
const slowUploads = 60;
/** Less than nine of what the slow ones have sent. */
const intakeBytes = 8_000_000;
const sentBytes = 900_000;
const blob = bytesOf(1, 1_000_000);
const other = bytesOf(2, 5_000_000);
/** All clients here send the same bytes: what is in memory beside them is the server's. */
const blobBody = await joined(encodePieces([blob]));
// Nobody is cut off: who is slow here is not too slow.
const patience = { headMs: 10_000, graceMs: 600_000, leastBytesPerSecond: 1, lookEveryMs: 100 };

async function served(): Promise<Serving & { readonly grpcUrl: string; readonly good: ReapiClient }> {
  const serving = await serveStore({ serverOptions: { patience }, storeOptions: { intakeBytes } });
  const { url } = await reapiOf(serving);
  const good = new ReapiClient(url, { credentials: { token: writeToken }, patience: { idleMs: 60_000 } });
  onTestFinished(() => good.close());
  return { ...serving, grpcUrl: url, good };
}

async function putBlob({ url }: Serving, bytes: Uint8Array): Promise<number> {
  const path = `/blobs/${digestHash(digestOf(bytes))}`;
  const body = await joined(encodePieces([bytes]));
  return (await ask(url, 'PUT', path, { headers: { authorization }, body })).status;
}

/** An upload of which all but the end has been sent, and that goes on byte by byte. */
interface Slow {
  readonly isOpen: () => boolean;
  /** Sends the rest; resolves with whether it was taken. */
  readonly end: () => Promise<boolean>;
}

function dripping(bytes: Uint8Array, send: (part: Uint8Array) => void): () => void {
  let at = sentBytes;
  const timer = setInterval(() => send(bytes.subarray(at, ++at)), 1000);
  onTestFinished(() => clearInterval(timer));
  return () => {
    clearInterval(timer);
    send(bytes.subarray(at));
  };
}

async function slowPut({ url }: Serving): Promise<Slow> {
  const path = `/blobs/${digestHash(digestOf(blob))}`;
  const body = blobBody;
  const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const socket: Socket = await connection(url, head);
  onTestFinished(() => void socket.destroy());
  socket.write(body.subarray(0, sentBytes));
  const finish = dripping(body, (part) => socket.write(part));
  return {
    isOpen: () => !socket.destroyed,
    end: async () => {
      const answer = once(socket, 'data') as Promise<[Buffer]>;
      finish();
      return (await answer)[0].toString().startsWith('HTTP/1.1 201');
    },
  };
}

function slowCall(method: AnyMethod, question: Record<string, unknown>) {
  const message = framed(method, question);
  return async ({ grpcUrl }: { readonly grpcUrl: string }): Promise<Slow> => {
    const session = await rawConnection(grpcUrl);
    const stream = openCall(session, method, authorization);
    stream.write(message.subarray(0, sentBytes));
    const finish = dripping(message, (part) => stream.write(part));
    return {
      isOpen: () => !session.destroyed && !stream.destroyed,
      end: async () => {
        const ended = statusIn(stream);
        stream.resume();
        finish();
        stream.end();
        return (await ended) === '0';
      },
    };
  };
}

test.each([
  ['PUT', slowPut],
  [
    'Write',
    slowCall(write, { resourceName: `uploads/1/blobs/${digestOf(blob)}`, data: blob, finishWrite: true }),
  ],
  [
    'BatchUpdateBlobs',
    slowCall(batchUpdate, {
      requests: [{ digest: digestMessage(digestOf(blob)), data: blob }],
      digestFunction: 1,
    }),
  ],
])(
  'uploads by %s that come byte by byte cost no memory, keep nobody out, and come to their end',
  async (_, begin) => {
    const serving = await served();
    const { intake } = serving.served;
    const before = keptBytes();
    const slow = await Promise.all(Array.from({ length: slowUploads }, () => begin(serving)));
    const aside = (slowUploads * sentBytes * 9) / 10;
    await expect.poll(() => intake.asideBytes, { timeout: 60_000 }).toBeGreaterThan(aside);
    expect(intake.inMemoryBytes).toBe(0);
    expect(keptBytes() - before).toBeLessThan(aside / 2);

    expect(await putBlob(serving, other)).toBe(201);
    await serving.good.write([digestOf(other)], new Blobs(other), signal);
    const [read] = (await readAll(serving.good, [digestOf(other)])).values();
    expect(digestOf(read!)).toBe(digestOf(other));
    const metrics = (await ask(serving.url, 'GET', '/metrics')).body.toString();
    expect(Number(/^cairn_incoming_aside_bytes (\d+)$/m.exec(metrics)![1])).toBeGreaterThan(aside);
    expect(metrics).toMatch(/^cairn_incoming_bytes \d+$/m);

    expect(slow.filter(({ isOpen }) => isOpen())).toHaveLength(slowUploads);
    const taken = await Promise.all(slow.map(({ end }) => end()));
    expect(taken.every((isTaken) => isTaken)).toBe(true);
    expect(serving.store.blobs.has(digestOf(blob))).toBe(true);
    await expect.poll(() => [intake.asideBytes, intake.inMemoryBytes]).toEqual([0, 0]);
    expect(serving.errors).toEqual([]);
  },
  120_000,
);

test('of many who push at once nothing is lost, and little is worked on at once', async () => {
  const serving = await served();
  const { intake } = serving.served;
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, intake.inMemoryBytes)), 1);
  onTestFinished(() => clearInterval(timer));
  const large = Array.from({ length: 40 }, (_, at) => bytesOf(100 + at, 1_500_000));
  const small = Array.from({ length: 40 }, (_, at) => bytesOf(200 + at, 300_000));
  const statuses = await Promise.all([
    ...large.slice(0, 20).map((bytes) => putBlob(serving, bytes)),
    ...[...large.slice(20), ...small].map(async (bytes) => {
      await serving.good.write([digestOf(bytes)], new Blobs(bytes), signal);
      return 201;
    }),
  ]);
  expect(new Set(statuses)).toEqual(new Set([201]));
  const all = [...large, ...small].map(digestOf);
  const kept = await Promise.all(all.map(async (digest) => digestOf(await serving.store.blobs.read(digest))));
  expect(kept).toEqual(all);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(intakeBytes);
  expect([intake.asideBytes, intake.inMemoryBytes]).toEqual([0, 0]);
  expect(serving.errors).toEqual([]);
}, 120_000);

test('compressed uploads that all have come at once wait for nobody who waits for them', async () => {
  const serving = await served();
  const session = await rawConnection(serving.grpcUrl);
  const blobs = Array.from({ length: 12 }, (_, at) => bytesOf(300 + at, 2_500_000));
  const codes = await Promise.all(
    blobs.map(async (bytes, at) => {
      const resourceName = `uploads/${at}/compressed-blobs/zstd/${digestOf(bytes)}`;
      const stream = openCall(session, write, authorization);
      const ended = statusIn(stream);
      stream.resume();
      stream.end(framed(write, { resourceName, data: await compressFrame(bytes), finishWrite: true }));
      return ended;
    }),
  );
  expect(codes).toEqual(blobs.map(() => '0'));
  expect(blobs.every((bytes) => serving.store.blobs.has(digestOf(bytes)))).toBe(true);
}, 60_000);

test('who shows no token is refused by the head of his call, and nothing of what he sends is read', async () => {
  const serving = await served();
  const message = framed(batchUpdate, {
    requests: [{ digest: digestMessage(digestOf(other)), data: other.subarray(0, 4_000_000) }],
  });
  const before = keptBytes();
  const sessions = await Promise.all(Array.from({ length: 20 }, () => rawConnection(serving.grpcUrl)));
  for (const token of [undefined, 'Bearer wrong'])
    for (const session of sessions)
      for (const method of [batchUpdate, write]) {
        // Before anything is sent.
        const silent = openCall(session, method, token);
        expect(await statusIn(silent)).toBe('16');
        const sending = openCall(session, method, token);
        sending.write(message);
        expect(await statusIn(sending)).toBe('16');
        silent.close();
        sending.close();
      }
  expect(serving.served.intake.asideBytes).toBe(0);
  expect(keptBytes() - before).toBeLessThan(10 * message.byteLength);
  expect([...(await serving.good.missing([digestOf(other)], signal))]).toEqual([digestOf(other)]);
  expect(serving.errors).toEqual([]);
});
