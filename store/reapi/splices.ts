// A large blob in chunks, of which a server takes what it lacks and puts them together. Whether it does that is its own matter:
// when it does not, the blob goes as a whole.

import { create } from '@bufbuild/protobuf';
import { asStream } from '../base/as-stream.ts';
import { digestOf, digestSize, type Digest } from '../base/digest.ts';
import { chunksIn, type Chunking } from '../chunking/chunks.ts';
import { batchesOf, isSmall, writeBatch } from './batches.ts';
import { writeStream } from './byte-streams.ts';
import type { Connection } from './connection.ts';
import { digestIn, digestMessage } from './digests.ts';
import { ReapiFailure } from './failure.ts';
import { findMissing } from './find-missing.ts';
import {
  ChunkingFunction_Value,
  ContentAddressableStorage,
  DigestFunction_Value,
  SpliceBlobRequestSchema,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

/** Chunks that are held in memory at once; the server is asked which of them it lacks. */
const groupBytes = 16 << 20;

/** Brings what the server lacks of a blob, and has it put together. Gives how many bytes were sent. */
export async function writeInChunks(
  connection: Connection,
  blob: { readonly digest: Digest; readonly read: () => AsyncIterable<Uint8Array> },
  { chunking, batchBytes }: { readonly chunking: Chunking; readonly batchBytes: number },
  signal: AbortSignal,
): Promise<number> {
  const all: Digest[] = [];
  let sentBytes = 0;
  let group = new Map<Digest, Uint8Array>();
  let heldBytes = 0;
  const send = async (): Promise<void> => {
    sentBytes += await writeMissing(connection, group, batchBytes, signal);
    [group, heldBytes] = [new Map<Digest, Uint8Array>(), 0];
  };
  for await (const chunk of chunksIn(blob.read(), chunking)) {
    const digest = digestOf(chunk);
    all.push(digest);
    if (!group.has(digest)) heldBytes += chunk.byteLength;
    group.set(digest, chunk);
    if (heldBytes >= groupBytes) await send();
  }
  await send();
  await splice(connection, blob.digest, all, signal);
  return sentBytes;
}

async function writeMissing(
  connection: Connection,
  group: ReadonlyMap<Digest, Uint8Array>,
  batchBytes: number,
  signal: AbortSignal,
): Promise<number> {
  if (group.size === 0) return 0;
  const missing = [...(await findMissing(connection, group.keys(), signal))];
  const small = missing.filter((digest) => isSmall(digest, batchBytes));
  for (const batch of batchesOf(small, batchBytes))
    await writeBatch(connection, new Map(batch.map((digest) => [digest, group.get(digest)!])), signal);
  for (const digest of missing.filter((each) => !isSmall(each, batchBytes)))
    await writeStream(connection, { digest, read: () => asStream(group.get(digest)!) }, signal);
  return missing.reduce((sum, digest) => sum + digestSize(digest), 0);
}

async function splice(
  { channel, instance, attempt }: Connection,
  blob: Digest,
  chunks: readonly Digest[],
  signal: AbortSignal,
): Promise<void> {
  const question = create(SpliceBlobRequestSchema, {
    instanceName: instance,
    blobDigest: digestMessage(blob),
    chunkDigests: chunks.map(digestMessage),
    digestFunction: DigestFunction_Value.SHA256,
    chunkingFunction: ChunkingFunction_Value.FAST_CDC_2020,
  });
  const workedBytes = digestSize(blob);
  const answer = await attempt(signal, () =>
    channel.ask(ContentAddressableStorage.method.spliceBlob, question, signal, { workedBytes }),
  );
  if (digestIn(answer.blobDigest) !== blob)
    throw new ReapiFailure('wrong', `the server put ${blob} together and got something else`);
}
