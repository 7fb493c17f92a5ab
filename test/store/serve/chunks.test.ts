// Chunks of large blobs over gRPC: a served store takes blobs apart and puts them together, and nothing else comes of it.

import { create } from '@bufbuild/protobuf';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { Channel } from '../../../store/reapi/channel.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { digestIn, digestMessage } from '../../../store/reapi/digests.ts';
import { parseEndpoint } from '../../../store/reapi/endpoint.ts';
import {
  ContentAddressableStorage,
  SpliceBlobRequestSchema,
  SplitBlobRequestSchema,
} from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { usualPatience } from '../../../store/reapi/patience.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';

const { signal } = new AbortController();
const large = bytesOf(5, 9_000_001);

async function served() {
  const serving = await serveStore();
  const { url } = await reapiOf(serving);
  const channel = new Channel(parseEndpoint(url), { token: writeToken }, usualPatience);
  const client = new ReapiClient(url, { credentials: { token: writeToken } });
  onTestFinished(() => {
    channel.close();
    client.close();
  });
  const split = async (digest: Digest): Promise<Digest[]> => {
    const question = create(SplitBlobRequestSchema, { blobDigest: digestMessage(digest) });
    const { chunkDigests } = await channel.ask(ContentAddressableStorage.method.splitBlob, question, signal);
    return chunkDigests.map(digestIn);
  };
  const splice = async (digest: Digest, chunks: readonly Digest[]): Promise<void> => {
    const question = create(SpliceBlobRequestSchema, {
      blobDigest: digestMessage(digest),
      chunkDigests: chunks.map(digestMessage),
    });
    await channel.ask(ContentAddressableStorage.method.spliceBlob, question, signal);
  };
  return { serving, client, split, splice };
}

test('a blob is taken apart into chunks that can be read one by one, and put together of them', async () => {
  const { serving, client, split, splice } = await served();
  const blobs = new Blobs(large);
  await client.write(blobs.digests, blobs, signal);
  const chunks = await split(digestOf(large));
  expect(chunks.length).toBeGreaterThan(5);
  const read = await readAll(client, new Set(chunks));
  expect(Buffer.concat(chunks.map((chunk) => read.get(chunk)!)).equals(large)).toBe(true);
  expect([...(await client.missing(chunks, signal))]).toEqual([]);

  const turned = [...chunks.slice(3), ...chunks.slice(0, 3)];
  const other = Buffer.concat(turned.map((chunk) => read.get(chunk)!));
  await splice(digestOf(other), turned);
  expect((await readAll(client, [digestOf(other)])).get(digestOf(other))?.equals(other)).toBe(true);
  expect(serving.errors).toEqual([]);
});

test('what does not come to the blob, or is of chunks that are not there, is refused and leaves nothing', async () => {
  const { serving, client, split, splice } = await served();
  const blobs = new Blobs(large);
  await client.write(blobs.digests, blobs, signal);
  const chunks = await split(digestOf(large));
  const [first, second] = chunks as [Digest, Digest];
  const absent = digestOf(Buffer.from('nowhere'));
  await expect(split(absent)).rejects.toMatchObject({ kind: 'absent' });
  await expect(splice(digestOf(bytesOf(6, 9_000_001)), chunks)).rejects.toMatchObject({ kind: 'wrong' });
  await expect(splice(digestOf(large), [first, second])).rejects.toMatchObject({ kind: 'wrong' });
  const made = digestOf(Buffer.from('nowhere and more'));
  await expect(splice(made, [absent, digestOf(Buffer.from(' and more'))])).rejects.toMatchObject({
    kind: 'absent',
  });
  expect([...(await client.missing([made, digestOf(bytesOf(6, 9_000_001))], signal))]).toHaveLength(2);
  expect(serving.errors).toEqual([]);
});
