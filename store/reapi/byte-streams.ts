// Large blobs, each in a stream of its own that goes on where it broke off; compressed, where the server knows that and it is worth it
// (`compressed-streams.ts`). What is read is hashed on its way: its reader sees the end only if the bytes are what their digest
// says. What is received is not.

import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { exactBytes } from '../base/exact-bytes.ts';
import { DigestHasher, digestHash, digestSize, type Digest } from '../base/digest.ts';
import { damaged } from './batches.ts';
import { inflated, isAboutCompression, writeCompressed } from './compressed-streams.ts';
import { named, type Connection } from './connection.ts';
import { isPassing, ReapiFailure } from './failure.ts';
import {
  ByteStream,
  QueryWriteStatusRequestSchema,
  ReadRequestSchema,
  WriteRequestSchema,
  type WriteRequest,
} from './messages/google/bytestream/bytestream_pb.ts';
import { pauseBefore } from './patience.ts';

/** Of one message. */
const pieceBytes = 1 << 20;

/** The blob's bytes, piece by piece. @throws ReapiFailure, `absent` before the first piece; the signal's reason */
export async function* readStream(
  connection: Connection,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = new DigestHasher();
  for await (const piece of receiveStream(connection, digest, signal)) {
    hasher.update(piece);
    yield piece;
  }
  if (hasher.digest() !== digest) throw damaged(digest);
}

/** The same as the server gave it, from an offset on, for whoever compares all of it with its digest. */
export async function* receiveStream(
  { channel, instance, patience, zstd }: Connection,
  digest: Digest,
  signal: AbortSignal,
  fromBytes = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sizeBytes = digestSize(digest);
  let doneBytes = fromBytes;
  let isCompressed = zstd.isUsed;
  for (let tries = 1; doneBytes < sizeBytes || tries === 1;) {
    const kind = isCompressed ? 'compressed-blobs/zstd' : 'blobs';
    // Whatever way it goes, an offset is one of the blob itself.
    const question = create(ReadRequestSchema, {
      resourceName: named(instance, `${kind}/${digestHash(digest)}/${sizeBytes}`),
      readOffset: BigInt(doneBytes),
    });
    const before = doneBytes;
    try {
      const came = dataIn(channel.askForStream(ByteStream.method.read, question, signal));
      for await (const data of isCompressed ? inflated(came, sizeBytes - doneBytes) : came) {
        if (data.byteLength === 0) continue;
        doneBytes += data.byteLength;
        if (doneBytes > sizeBytes) throw damaged(digest);
        yield data;
      }
      if (doneBytes < sizeBytes) throw new ReapiFailure('unavailable', `${digest} ended early`);
      break;
    } catch (error) {
      // Whoever moves on, if slowly, has as many tries again.
      if (doneBytes > before) tries = 1;
      if (isCompressed && isAboutCompression(error)) {
        isCompressed = false;
        continue;
      }
      if (tries >= patience.tries || !isPassing(error)) throw error;
      await pauseBefore(tries++, patience, signal);
    }
  }
}

async function* dataIn(
  answers: AsyncIterable<{ readonly data: Uint8Array }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { data } of answers) yield data;
}

/**
 * Brings a blob, whose bytes may be asked for more than once, always from the first on. Gives how many were sent.
 * @throws ReapiFailure; the signal's reason; what `read` throws
 */
export async function writeStream(
  connection: Connection,
  { digest, read }: { readonly digest: Digest; readonly read: () => AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<number> {
  const { channel, instance, patience, zstd } = connection;
  const sizeBytes = digestSize(digest);
  if (zstd.isUsed) {
    const sent = await writeCompressed(connection, { digest, read }, signal);
    if (sent !== undefined) return sent;
  }
  const name = named(instance, `uploads/${randomUUID()}/blobs/${digestHash(digest)}/${sizeBytes}`);
  let sentBytes = 0;
  let from = 0;
  for (let tries = 1; ;) {
    const before = from;
    try {
      const messages = counted(writeRequests(name, behind(read(), from), from, sizeBytes), (bytes) => {
        sentBytes += bytes;
      });
      const { committedSize } = await channel.tell(ByteStream.method.write, messages, signal, {
        workedBytes: sizeBytes,
      });
      if (committedSize === BigInt(sizeBytes)) return sentBytes;
      throw new ReapiFailure('unavailable', `the server took ${committedSize} of ${exactBytes(sizeBytes)}`);
    } catch (error) {
      if (tries >= patience.tries || !isPassing(error)) throw error;
      await pauseBefore(tries++, patience, signal);
      const reached = await committed(connection, name, signal);
      if (reached === 'complete') return sentBytes;
      from = Math.min(reached, sizeBytes);
      if (from > before) tries = 1;
    }
  }
}

// How far the server came with a write that broke off.
async function committed(
  { channel, attempt }: Connection,
  name: string,
  signal: AbortSignal,
): Promise<number | 'complete'> {
  const question = create(QueryWriteStatusRequestSchema, { resourceName: name });
  try {
    const answer = await attempt(signal, () =>
      channel.ask(ByteStream.method.queryWriteStatus, question, signal),
    );
    return answer.complete ? 'complete' : Number(answer.committedSize);
  } catch (error) {
    // Whoever does not remember it has it sent again.
    if (error instanceof ReapiFailure && (error.kind === 'absent' || error.kind === 'unsupported')) return 0;
    throw error;
  }
}

async function* writeRequests(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  from: number,
  sizeBytes: number,
): AsyncGenerator<WriteRequest, void, undefined> {
  let [resourceName, at] = [name, from];
  for await (const chunk of bytes)
    for (let start = 0; start < chunk.byteLength; start += pieceBytes) {
      const data = chunk.subarray(start, start + pieceBytes);
      const finishWrite = at + data.byteLength === sizeBytes;
      yield create(WriteRequestSchema, { resourceName, writeOffset: BigInt(at), data, finishWrite });
      [resourceName, at] = ['', at + data.byteLength];
    }
  // It had all of them.
  if (resourceName !== '')
    yield create(WriteRequestSchema, { resourceName, writeOffset: BigInt(at), finishWrite: true });
}

async function* behind(
  bytes: AsyncIterable<Uint8Array>,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = offset;
  for await (const chunk of bytes) {
    if (chunk.byteLength > skip) yield chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.byteLength);
  }
}

async function* counted(
  messages: AsyncIterable<WriteRequest>,
  count: (bytes: number) => void,
): AsyncGenerator<WriteRequest, void, undefined> {
  for await (const message of messages) {
    count(message.data.byteLength);
    yield message;
  }
}
