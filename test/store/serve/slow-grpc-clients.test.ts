// Clients of the Remote Execution API that take their time, on purpose or not: a stream that stands still is cut off together with
// its connection, connections of both doors are counted together, and everybody else is served meanwhile.

import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { ByteStream } from '../../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import { definitionOf } from '../../support/grpc-definitions.ts';
import { ask } from '../../support/raw-http.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken, type Serving } from '../../support/served-store.ts';

const { Read: read, Write: write } = definitionOf(ByteStream) as unknown as Record<
  'Read' | 'Write',
  MethodDefinition<Record<string, unknown>, Record<string, unknown>>
>;
const patience = { headMs: 400, graceMs: 600, leastBytesPerSecond: 1000, lookEveryMs: 100 };
const { signal } = new AbortController();
const large = bytesOf(3, 20_000_000);

async function metric({ url }: Serving, name: string): Promise<number> {
  const metrics = (await ask(url, 'GET', '/metrics')).body.toString();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)![1]);
}

const cutOff = 'cairn_connections_cut_total\\{why="slow"\\}';

async function served(mostConnections = 100) {
  const serving = await serveStore({ serverOptions: { patience, mostConnections } });
  const { url } = await reapiOf(serving);
  const good = new ReapiClient(url, { credentials: { token: writeToken } });
  onTestFinished(() => good.close());
  return { serving, url, good };
}

/** The digest of what comes when the large one is asked for. */
async function given(client: ReapiClient): Promise<string> {
  const [bytes] = (await readAll(client, [digestOf(large)])).values();
  return digestOf(bytes!);
}

/** A connection of its own. */
function clientOf(url: string): { readonly client: Client; readonly metadata: Metadata } {
  const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };
  const client = new Client(url.replace('grpc://', ''), credentials.createInsecure(), ownConnection);
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${writeToken}`);
  return { client, metadata };
}

test('who asks for much over gRPC and takes nothing is cut off, and others are given the same meanwhile', async () => {
  const { serving, url, good } = await served();
  await good.write([digestOf(large)], new Blobs(large), signal);
  // By hand: clients of gRPC take everything there is, whether anybody reads it or not.
  const ended = Array.from({ length: 5 }, () => {
    const session = connectHttp2(url.replace('grpc:', 'http:')).on('error', () => undefined);
    onTestFinished(() => session.destroy());
    const message = read.requestSerialize({ resourceName: `blobs/${digestOf(large)}` });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.byteLength, 1);
    const headers = {
      ':method': 'POST',
      ':path': read.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const stream = session.request(headers).on('error', () => undefined);
    stream.end(Buffer.concat([prefix, message]));
    return once(session, 'close');
  });
  expect(await given(good)).toBe(digestOf(large));
  await expect.poll(() => metric(serving, cutOff), { timeout: 20_000 }).toBe(5);
  await Promise.all(ended);
  // Whoever waits with nothing under way has as long as he likes.
  expect(await given(good)).toBe(digestOf(large));
  expect(serving.errors).toEqual([]);
});

test('an upload over gRPC that stands still is cut off and leaves nothing', async () => {
  const { serving, url, good } = await served();
  const { client, metadata } = clientOf(url);
  const { path, requestSerialize, responseDeserialize } = write;
  const answered = new Promise((resolve) => {
    const stream = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      (error) => resolve(error),
    );
    const resourceName = `uploads/1/blobs/${digestOf(large)}`;
    stream.write({ resourceName, data: large.subarray(0, 1_000_000), writeOffset: 0n, finishWrite: false });
  });
  expect(await answered).toMatchObject({ message: expect.stringMatching(/UNAVAILABLE|CANCELLED/) as string });
  expect(await metric(serving, cutOff)).toBe(1);
  expect([...(await good.missing([digestOf(large)], signal))]).toEqual([digestOf(large)]);
  await good.write([digestOf(large)], new Blobs(large), signal);
  expect(await given(good)).toBe(digestOf(large));
  expect(serving.errors).toEqual([]);
});

test('connections that say nothing to either door are counted together and keep nobody out', async () => {
  const { serving, url, good } = await served(50);
  const silent = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      const { hostname, port } = new URL((at % 2 === 0 ? url : serving.url).replace('grpc:', 'http:'));
      const socket: Socket = connect(Number(port), hostname).on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      return socket;
    }),
  );
  expect(silent).toHaveLength(200);
  await good.write([digestOf(large)], new Blobs(large), signal);
  expect(await given(good)).toBe(digestOf(large));
  expect(await metric(serving, 'cairn_connections')).toBeLessThanOrEqual(50);
  expect(serving.errors).toEqual([]);
});
