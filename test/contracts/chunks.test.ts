// What the Remote Execution API promises of the chunks of blobs (SplitBlob, SpliceBlob), of every kind of server that announces them:
// asked by a client of gRPC that knows nothing of caches, and by ours over a line that damages what passes. What is damaged, or cut
// short, is never there as whole.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { asStream } from '../../store/base/as-stream.ts';
import { digestOf, digestSize, type Digest } from '../../store/base/digest.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { openCache } from '../../store/caches/index.ts';
import type { Likenesses } from '../../store/index.ts';
import { ReapiClient } from '../../store/reapi/client.ts';
import { digestIn, digestMessage } from '../../store/reapi/digests.ts';
import {
  ContentAddressableStorage,
  type BatchReadBlobsResponse,
  type BatchUpdateBlobsResponse,
  type FindMissingBlobsResponse,
  type SplitBlobResponse,
} from '../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { ByteStream, type ReadResponse } from '../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import { unpackBuildbox, type Buildbox } from '../support/buildbox.ts';
import { CasServer } from '../support/cas-server.ts';
import { definitionOf } from '../support/grpc-definitions.ts';
import { endAfter, frontBefore, turnBit, type Meddling, type Upstream } from '../support/grpc-front.ts';
import { skipWithout } from '../support/needs.ts';
import { Blobs, bytesOf, readAll } from '../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../support/served-store.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Place {
  /** As gRPC has it. */
  readonly address: string;
  readonly upstream: Upstream;
  readonly url: string;
  readonly token: string | undefined;
}

interface Kind {
  readonly what: string;
  /** It says that it takes blobs apart and puts them together. */
  readonly announces: boolean;
  readonly place: () => Promise<Place>;
  /** Why it cannot be tried here. */
  readonly missing?: () => string | undefined;
}

const kinds: readonly Kind[] = [
  {
    what: 'that serves a store',
    announces: true,
    place: async () => {
      const serving = await serveStore();
      onTestFinished(() => expect(serving.errors).toEqual([]));
      const { url } = await reapiOf(serving);
      const { host, hostname, port } = new URL(url);
      return { address: host, upstream: { host: hostname, port: Number(port) }, url, token: writeToken };
    },
  },
  {
    what: "that is Debian's buildbox-casd",
    announces: false,
    missing: () => (typeof buildbox === 'string' ? buildbox : undefined),
    place: async () => {
      const server = await CasServer.start(buildbox as Buildbox, tempFolder('cas'));
      onTestFinished(() => server.stop('SIGKILL'));
      const { socket, url } = server;
      return { address: `unix:${socket}`, upstream: { path: socket }, url, token: undefined };
    },
  },
];

const folder = mkdtempSync(join(tmpdir(), 'cairn-buildbox-'));
let buildbox: Buildbox | string;
beforeAll(async () => {
  buildbox = await unpackBuildbox(folder);
});
afterAll(() => removeTree(folder));

const { signal } = new AbortController();
const large = bytesOf(5, 5_000_001);
/** Cut as no server of ours would. */
const parts = [0, 1, 2, 3, 4, 5].map((at) => large.subarray(at * 1_000_000, (at + 1) * 1_000_000));
const [notFound, invalid, unimplemented] = [5, 3, 12];

const cas = definitionOf(ContentAddressableStorage) as Record<string, AnyMethod>;
const streams = definitionOf(ByteStream) as Record<string, AnyMethod>;
type AnyMethod = MethodDefinition<Record<string, unknown>, unknown>;

/** A client of gRPC, and nothing more. */
class Asking {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor({ address, token }: Place) {
    this.#client = new Client(address, credentials.createInsecure());
    onTestFinished(() => this.#client.close());
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
  }

  async split(digest: Digest): Promise<readonly Digest[]> {
    const answer = await this.#ask('SplitBlob', { blobDigest: digestMessage(digest) });
    return (answer as SplitBlobResponse).chunkDigests.map(digestIn);
  }

  async splice(digest: Digest, chunks: readonly Digest[]): Promise<void> {
    await this.#ask('SpliceBlob', {
      blobDigest: digestMessage(digest),
      chunkDigests: chunks.map(digestMessage),
    });
  }

  async missing(...digests: readonly Digest[]): Promise<readonly Digest[]> {
    const answer = await this.#ask('FindMissingBlobs', { blobDigests: digests.map(digestMessage) });
    return (answer as FindMissingBlobsResponse).missingBlobDigests.map(digestIn);
  }

  /** In one message. @throws what is no success */
  async bring(digest: Digest, data: Uint8Array): Promise<void> {
    const answer = await this.#ask('BatchUpdateBlobs', {
      requests: [{ digest: digestMessage(digest), data }],
    });
    const [one] = (answer as BatchUpdateBlobsResponse).responses;
    if ((one?.status?.code ?? 0) !== 0) throw Object.assign(new Error('refused'), one?.status);
  }

  async readSmall(digest: Digest): Promise<Uint8Array> {
    const answer = await this.#ask('BatchReadBlobs', { digests: [digestMessage(digest)] });
    return (answer as BatchReadBlobsResponse).responses[0]!.data;
  }

  /** As a stream that ends there, or that breaks off. @throws what it ends with */
  write(digest: Digest, data: Uint8Array, breaksOff = false): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = streams['Write']!;
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null): void => (error === null ? resolve() : reject(error));
      const stream = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        this.#metadata,
        done,
      );
      const resourceName = `uploads/1/blobs/${digest}`;
      stream.write({ resourceName, data, writeOffset: 0n, finishWrite: !breaksOff }, () =>
        breaksOff ? stream.cancel() : stream.end(),
      );
    });
  }

  async read(digest: Digest, readOffset = 0, readLimit = 0): Promise<Buffer> {
    const { path, requestSerialize, responseDeserialize } = streams['Read']!;
    const question = {
      resourceName: `blobs/${digest}`,
      readOffset: BigInt(readOffset),
      readLimit: BigInt(readLimit),
    };
    const stream = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      question,
      this.#metadata,
    );
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push((piece as ReadResponse).data);
    return Buffer.concat(pieces);
  }

  #ask(name: string, question: Record<string, unknown>): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = cas[name]!;
    const whole = { ...question, digestFunction: 1 };
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        whole,
        this.#metadata,
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });
  }
}

function clientOf({ url, token }: Place): ReapiClient {
  const credentials = token === undefined ? {} : { token };
  const client = new ReapiClient(url, { credentials });
  onTestFinished(() => client.close());
  return client;
}

async function bringAll(asking: Asking, chunks: readonly Uint8Array[]): Promise<readonly Digest[]> {
  for (const chunk of chunks) await asking.bring(digestOf(chunk), chunk);
  return chunks.map((chunk) => digestOf(chunk));
}

describe.each(kinds)('a server $what', ({ announces, place, missing }) => {
  beforeEach((context) => skipWithout(context, missing?.()));

  test('says whether it knows chunks, and who asks one that does not is told so and moves blobs as wholes', async () => {
    const at = await place();
    const client = clientOf(at);
    expect(await client.abilities(signal)).toMatchObject({ splits: announces, splices: announces });
    const blobs = new Blobs(large);
    await client.write(blobs.digests, blobs, signal);
    const [read] = (await readAll(client, blobs.digests)).values();
    expect(digestOf(read!)).toBe(digestOf(large));
    if (announces) return;
    const asking = new Asking(at);
    await expect(asking.split(digestOf(large))).rejects.toMatchObject({ code: unimplemented });
    await expect(asking.splice(digestOf(large), [digestOf(large)])).rejects.toMatchObject({
      code: unimplemented,
    });
  });
});

describe.each(kinds.filter(({ announces }) => announces))('a server $what and knows chunks', ({ place }) => {
  test('tells the chunks of a blob: each can be read by itself, and together they are the blob', async () => {
    const asking = new Asking(await place());
    await asking.write(digestOf(large.subarray(0, 3_500_000)), large.subarray(0, 3_500_000));
    const chunks = await asking.split(digestOf(large.subarray(0, 3_500_000)));
    expect(chunks.length).toBeGreaterThan(1);
    expect(await asking.missing(...chunks)).toEqual([]);
    const read: Uint8Array[] = [];
    for (const chunk of chunks) {
      const bytes = await asking.readSmall(chunk);
      expect(digestOf(bytes)).toBe(chunk);
      read.push(bytes);
    }
    expect(digestOf(Buffer.concat(read))).toBe(digestOf(large.subarray(0, 3_500_000)));
    await expect(asking.split(digestOf(bytesOf(6, 10)))).rejects.toMatchObject({ code: notFound });
  });

  test('puts a blob together of chunks that were sent one by one, however they were cut', async () => {
    const asking = new Asking(await place());
    const chunks = await bringAll(asking, parts);
    expect(await asking.missing(digestOf(large))).toEqual([digestOf(large)]);
    await asking.splice(digestOf(large), chunks);
    expect(await asking.missing(digestOf(large), ...chunks)).toEqual([]);
    expect(digestOf(await asking.read(digestOf(large)))).toBe(digestOf(large));
    const some = await asking.read(digestOf(large), 1_999_000, 2000);
    expect(some.equals(large.subarray(1_999_000, 2_001_000))).toBe(true);
    const again = await asking.split(digestOf(large));
    expect(again.reduce((sum, chunk) => sum + digestSize(chunk), 0)).toBe(large.byteLength);
  });

  const third = parts[2]!;
  test.each<[string, (asking: Asking) => Promise<void>, number]>([
    ['came with a bit turned', (asking) => asking.bring(digestOf(third), flipped(third)), invalid],
    ['came cut short', (asking) => asking.write(digestOf(third), third.subarray(0, 400_000)), invalid],
    ['broke off', (asking) => asking.write(digestOf(third), third.subarray(0, 400_000), true), 1],
  ])('has neither a chunk that %s nor the blob, until it comes as it is', async (_, send, code) => {
    const asking = new Asking(await place());
    await bringAll(
      asking,
      parts.filter((part) => part !== third),
    );
    await expect(send(asking)).rejects.toMatchObject({ code });
    const [blob, chunks] = [digestOf(large), parts.map((part) => digestOf(part))];
    await expect(asking.splice(blob, chunks)).rejects.toMatchObject({ code: notFound });
    expect(await asking.missing(blob, digestOf(third))).toEqual([blob, digestOf(third)]);
    await asking.bring(digestOf(third), third);
    await asking.splice(blob, chunks);
    expect(digestOf(await asking.read(blob))).toBe(blob);
  });

  test.each<[string, readonly Uint8Array[]]>([
    ['are in another order', [parts[1]!, parts[0]!, ...parts.slice(2)]],
    ['are not all of it', parts.slice(0, -1)],
    ['are more than it', [...parts, parts[5]!]],
    ['are of the same size and something else', [...parts.slice(0, 4), flipped(parts[4]!), parts[5]!]],
    ['are none', []],
  ])('has no blob of chunks that %s', async (_, wrong) => {
    const asking = new Asking(await place());
    const chunks = await bringAll(asking, wrong);
    await expect(asking.splice(digestOf(large), chunks)).rejects.toMatchObject({ code: invalid });
    expect(await asking.missing(digestOf(large))).toEqual([digestOf(large)]);
  });

  describe('over a bad line', () => {
    const former = bytesOf(7, 8_000_000);
    const changed = Buffer.concat([
      former.subarray(0, 3_000_000),
      bytesOf(8, 600_000),
      former.subarray(3_100_000),
    ]);

    /** A cache, asked through a front that meddles. */
    async function meddled(at: Place, meddle: (method: string, nth: number) => Meddling | undefined) {
      const front = await frontBefore(at.upstream, {
        meddle: (path, nth) => meddle(path.slice(path.lastIndexOf('/') + 1), nth),
      });
      const env = { HOME: '/nonexistent', CAIRN_CACHE_TOKEN: `127.0.0.1:${front.port}=${at.token}` };
      const patience = { firstMs: 30_000, idleMs: 30_000 };
      const cache = openCache(`grpc://127.0.0.1:${front.port}`, { env, patience });
      const called = (method: string): boolean => front.calls.some((path) => path.endsWith(`/${method}`));
      return { cache, called };
    }

    test.each<[string, string, () => Meddling]>([
      ['chunks with a bit turned', 'BatchReadBlobs', () => ({ answer: turnBit(200_000) })],
      ['chunks that break off', 'BatchReadBlobs', () => ({ answer: endAfter(200_000) })],
      ['names of chunks with a bit turned', 'SplitBlob', () => ({ answer: turnBit(400) })],
      ['names of chunks that break off', 'SplitBlob', () => ({ answer: endAfter(400) })],
    ])(
      'our client that is given %s has the blob all the same, and nothing else',
      async (_, method, meddling) => {
        const at = await place();
        const blobs = new Blobs(changed);
        await clientOf(at).write(blobs.digests, blobs, signal);
        const { cache, called } = await meddled(at, (name, nth) =>
          name === method && nth === 0 ? meddling() : undefined,
        );
        const likenesses: Likenesses = {
          likeTo: () => [digestOf(former)],
          range: (_blob, from, to) => asStream(former.subarray(from, to)),
        };
        const given: Digest[] = [];
        const take = async (_digest: Digest, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
          const pieces: Uint8Array[] = [];
          for await (const piece of bytes) pieces.push(piece);
          given.push(digestOf(Buffer.concat(pieces)));
        };
        await cache.has(new Set(blobs.digests), new Set(), signal);
        await cache.read(new Set(blobs.digests), take, signal, likenesses);
        expect(called(method)).toBe(true);
        expect(given).toEqual(blobs.digests);
      },
    );

    test.each<[string, string, () => Meddling]>([
      ['a chunk has a bit turned', 'BatchUpdateBlobs', () => ({ question: turnBit(200_000) })],
      ['a chunk breaks off', 'BatchUpdateBlobs', () => ({ question: endAfter(200_000) })],
      ['a name of a chunk has a bit turned', 'SpliceBlob', () => ({ question: turnBit(400) })],
    ])(
      'our client of which %s brings the blob all the same, and nothing else',
      async (_, method, meddling) => {
        const at = await place();
        const { cache, called } = await meddled(at, (name, nth) =>
          name === method && nth === 0 ? meddling() : undefined,
        );
        const digest = digestOf(changed);
        const from = new Blobs(changed);
        await cache.push(
          {
            outputs: [{ top: { kind: 'blob', digest, executable: false }, name: 'changed' }],
            records: [],
            from: {
              directory: () => undefined,
              read: (one) => from.read(one),
              stream: (one) => from.stream(one),
            },
          },
          signal,
        );
        expect(called(method)).toBe(true);
        expect(digestOf(await new Asking(at).read(digest))).toBe(digest);
      },
    );
  });
});

function flipped(bytes: Uint8Array): Uint8Array {
  const other = Uint8Array.from(bytes);
  other[10_000 % other.length]! ^= 1;
  return other;
}
