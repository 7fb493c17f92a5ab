// Small blobs, many in a message. Every blob that is read is hashed before anybody sees it; one that is received is not.

import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { digestOf, digestSize, type Digest } from '../base/digest.ts';
import type { Connection } from './connection.ts';
import { digestIn, digestMessage } from './digests.ts';
import { failureOfStatus, ReapiFailure } from './failure.ts';
import {
  BatchReadBlobsRequestSchema,
  BatchUpdateBlobsRequestSchema,
  Compressor_Value,
  ContentAddressableStorage,
  DigestFunction_Value,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

const notFound: number = status.NOT_FOUND;

/** What a blob takes in a message beside its bytes, at most. */
const aroundBlobBytes = 200;

/** Blobs in their order, in groups that fit one message each. */
export function* batchesOf(digests: Iterable<Digest>, batchBytes: number): Generator<Digest[]> {
  let [batch, sizeBytes]: [Digest[], number] = [[], 0];
  for (const digest of digests) {
    const more = digestSize(digest) + aroundBlobBytes;
    if (batch.length > 0 && sizeBytes + more > batchBytes) {
      yield batch;
      [batch, sizeBytes] = [[], 0];
    }
    batch.push(digest);
    sizeBytes += more;
  }
  if (batch.length > 0) yield batch;
}

/** True for what goes into messages with others; the rest goes alone, in a stream. */
export function isSmall(digest: Digest, batchBytes: number): boolean {
  return digestSize(digest) <= Math.min(1 << 20, batchBytes - aroundBlobBytes);
}

/** Those of one batch that it has, whole. @throws ReapiFailure; the signal's reason */
export async function readBatch(
  connection: Connection,
  batch: readonly Digest[],
  signal: AbortSignal,
): Promise<Map<Digest, Uint8Array>> {
  const found = await receiveBatch(connection, batch, signal);
  for (const [digest, data] of found) if (digestOf(data) !== digest) throw damaged(digest);
  return found;
}

/** The same as the server gave them, for whoever compares them with their digests. */
export async function receiveBatch(
  { channel, instance, attempt }: Connection,
  batch: readonly Digest[],
  signal: AbortSignal,
): Promise<Map<Digest, Uint8Array>> {
  const question = create(BatchReadBlobsRequestSchema, {
    instanceName: instance,
    digests: batch.map(digestMessage),
    digestFunction: DigestFunction_Value.SHA256,
  });
  const movedBytes = batch.reduce((sum, digest) => sum + digestSize(digest), 0);
  return attempt(signal, async () => {
    const { batchReadBlobs } = ContentAddressableStorage.method;
    const answer = await channel.ask(batchReadBlobs, question, signal, { movedBytes });
    const asked = new Set(batch);
    const found = new Map<Digest, Uint8Array>();
    for (const { digest: message, data, status: outcome, compressor } of answer.responses) {
      const digest = digestIn(message);
      if (!asked.delete(digest)) throw new ReapiFailure('wrong', 'the server gave what it was not asked for');
      const code = outcome?.code ?? 0;
      if (code === notFound) continue;
      if (code !== 0) throw failureOfStatus(code, outcome?.message ?? '', `reading ${digest}`);
      if (compressor !== Compressor_Value.IDENTITY || data.byteLength !== digestSize(digest))
        throw damaged(digest);
      found.set(digest, data);
    }
    if (asked.size > 0) throw new ReapiFailure('wrong', 'the server says nothing of some it was asked for');
    return found;
  });
}

/** Brings the blobs of one batch; only those that failed in passing are sent again. @throws ReapiFailure; the signal's reason */
export async function writeBatch(
  { channel, instance, attempt }: Connection,
  batch: ReadonlyMap<Digest, Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const open = new Map(batch);
  await attempt(signal, async () => {
    const question = create(BatchUpdateBlobsRequestSchema, {
      instanceName: instance,
      requests: [...open].map(([digest, data]) => ({ digest: digestMessage(digest), data })),
      digestFunction: DigestFunction_Value.SHA256,
    });
    const answer = await channel.ask(ContentAddressableStorage.method.batchUpdateBlobs, question, signal);
    let failure: ReapiFailure | undefined;
    for (const { digest: message, status: outcome } of answer.responses) {
      const digest = digestIn(message);
      const code = outcome?.code ?? 0;
      if (code === 0) open.delete(digest);
      else failure = failureOfStatus(code, outcome?.message ?? '', `writing ${digest}`);
    }
    if (failure !== undefined) throw failure;
    if (open.size > 0) throw new ReapiFailure('wrong', 'the server says nothing of some it was given');
  });
}

export function damaged(digest: Digest): ReapiFailure {
  return new ReapiFailure('wrong', `${digest} came with other bytes than its digest says`);
}
