// A large blob of a server that tells its chunks: those that are here, as parts of what it is likely to have been changed from, do not
// come again. Whatever goes wrong with that, the rest of the blob comes as a whole. What is given is not verified.

import { create } from '@bufbuild/protobuf';
import { digestSize, type Digest } from '../base/digest.ts';
import type { Chunking } from '../chunking/chunks.ts';
import { chunksLike, type ChunkPlace, type Likenesses } from '../chunking/likenesses.ts';
import { batchesOf, damaged, isSmall, readBatch } from './batches.ts';
import { readStream, receiveStream } from './byte-streams.ts';
import type { Connection } from './connection.ts';
import { digestIn, digestMessage } from './digests.ts';
import { ReapiFailure } from './failure.ts';
import {
  ChunkingFunction_Value,
  ContentAddressableStorage,
  DigestFunction_Value,
  SplitBlobRequestSchema,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

/** Where more than this share of it would come, it comes as a whole, in one stream and compressed. */
const worthShare = 0.5;
/** Chunks of one go: they come together, and are in memory until they have been given. */
const groupBytes = 16 << 20;

export interface SplitOptions {
  readonly likenesses: Likenesses;
  readonly chunking: Chunking;
  readonly batchBytes: number;
}

/** The blob's bytes. @throws ReapiFailure, `absent` before the first piece; the signal's reason */
export async function* receiveInChunks(
  connection: Connection,
  digest: Digest,
  options: SplitOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let doneBytes = 0;
  try {
    for await (const chunk of chunksOf(connection, digest, options, signal)) {
      doneBytes += chunk.byteLength;
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ReapiFailure && error.kind === 'unavailable') throw error;
  }
  if (doneBytes < digestSize(digest)) yield* receiveStream(connection, digest, signal, doneBytes);
}

// Nothing where it is not worth it.
async function* chunksOf(
  connection: Connection,
  digest: Digest,
  { likenesses, chunking, batchBytes }: SplitOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const here = await chunksLike(digest, likenesses, { chunking, signal });
  if (here.size === 0) return;
  const chunks = await split(connection, digest, signal);
  const absent = new Set(chunks.filter((chunk) => !here.has(chunk)));
  if (sizeOf(absent) > digestSize(digest) * worthShare) return;
  const groups = [...groupsOf(chunks, here)];
  const bring = (group: readonly Digest[] | undefined): Promise<ReadonlyMap<Digest, Uint8Array>> => {
    const wanted = new Set(group?.filter((chunk) => !here.has(chunk)));
    const brought = readAll(connection, wanted, batchBytes, signal);
    // Whoever stops reading does not wait for it.
    brought.catch(() => undefined);
    return brought;
  };
  let next = bring(groups[0]);
  for (const [at, group] of groups.entries()) {
    const brought = await next;
    next = bring(groups[at + 1]);
    for (const chunk of group) {
      const place = here.get(chunk);
      if (place === undefined) yield brought.get(chunk)!;
      else yield* whole(likenesses, place, digestSize(chunk));
    }
  }
}

async function* whole(
  likenesses: Likenesses,
  { blob, offset }: ChunkPlace,
  sizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let doneBytes = 0;
  for await (const piece of likenesses.range(blob, offset, offset + sizeBytes)) {
    doneBytes += piece.byteLength;
    yield piece;
  }
  if (doneBytes < sizeBytes) throw new Error('a file that is here is shorter than it was');
}

async function split(
  { channel, instance, attempt }: Connection,
  digest: Digest,
  signal: AbortSignal,
): Promise<readonly Digest[]> {
  const question = create(SplitBlobRequestSchema, {
    instanceName: instance,
    blobDigest: digestMessage(digest),
    digestFunction: DigestFunction_Value.SHA256,
    chunkingFunction: ChunkingFunction_Value.FAST_CDC_2020,
  });
  const workedBytes = digestSize(digest);
  const { chunkDigests } = await attempt(signal, () =>
    channel.ask(ContentAddressableStorage.method.splitBlob, question, signal, { workedBytes }),
  );
  const chunks = chunkDigests.map(digestIn);
  if (sizeOf(chunks) !== digestSize(digest)) throw damaged(digest);
  return chunks;
}

// In their order; of each not much more than `groupBytes` has to come.
function* groupsOf(
  chunks: readonly Digest[],
  here: ReadonlyMap<Digest, ChunkPlace>,
): Generator<readonly Digest[]> {
  let [group, sizeBytes]: [Digest[], number] = [[], 0];
  for (const chunk of chunks) {
    group.push(chunk);
    if (!here.has(chunk)) sizeBytes += digestSize(chunk);
    if (sizeBytes < groupBytes) continue;
    yield group;
    [group, sizeBytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}

async function readAll(
  connection: Connection,
  wanted: ReadonlySet<Digest>,
  batchBytes: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const read = new Map<Digest, Uint8Array>();
  const small = [...wanted].filter((digest) => isSmall(digest, batchBytes));
  for (const batch of batchesOf(small, batchBytes))
    for (const [digest, bytes] of await readBatch(connection, batch, signal)) read.set(digest, bytes);
  for (const digest of wanted) {
    if (isSmall(digest, batchBytes)) continue;
    const parts: Uint8Array[] = [];
    for await (const part of readStream(connection, digest, signal)) parts.push(part);
    read.set(digest, Buffer.concat(parts));
  }
  if (read.size < wanted.size)
    throw new ReapiFailure('absent', 'the server does not have a chunk that it named');
  return read;
}

function sizeOf(digests: Iterable<Digest>): number {
  let sizeBytes = 0;
  for (const digest of digests) sizeBytes += digestSize(digest);
  return sizeBytes;
}
