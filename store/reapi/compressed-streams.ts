// Large blobs on their way as zstd, where a server has said that it knows it. What comes is bounded by the size it should have; what is
// sent goes in frames of 1 MiB, which any zstd reads as one stream.

import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { exactBytes } from '../base/exact-bytes.ts';
import { digestHash, digestSize, type Digest } from '../base/digest.ts';
import { compressFrame } from '../caches/zstd.ts';
import { zstdContent } from '../caches/zstd-stream.ts';
import { named, type Connection } from './connection.ts';
import { isPassing, ReapiFailure } from './failure.ts';
import {
  ByteStream,
  WriteRequestSchema,
  type WriteRequest,
} from './messages/google/bytestream/bytestream_pb.ts';
import { pauseBefore } from './patience.ts';

const pieceBytes = 1 << 20;
/** What its beginning cannot be made smaller than this share of is not worth it. */
const worthShare = 0.9;

/** True when the same may go better uncompressed: the server says one thing and does another. */
export function isAboutCompression(error: unknown): boolean {
  return error instanceof ReapiFailure && ['absent', 'unsupported', 'wrong'].includes(error.kind);
}

/** What was compressed. @throws ReapiFailure `wrong` for what is no zstd, or holds more than so many bytes; what `compressed` throws */
export async function* inflated(
  compressed: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: { readonly error: unknown } | undefined;
  const watched = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* compressed;
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  try {
    yield* zstdContent(watched(), mostBytes);
  } catch (error) {
    // What broke off may go on; what is not what it should be does not.
    if (failure !== undefined) throw failure.error;
    throw new ReapiFailure('wrong', (error as Error).message, { cause: error });
  }
}

/** How many bytes were sent; undefined when it should go, or went, uncompressed. Errors are those of `writeStream`. */
export async function writeCompressed(
  { channel, instance, patience }: Connection,
  { digest, read }: { readonly digest: Digest; readonly read: () => AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<number | undefined> {
  const sizeBytes = digestSize(digest);
  let sentBytes = 0;
  for (let tries = 1; ;) {
    // Nobody remembers half of one: each try begins anew.
    const name = named(
      instance,
      `uploads/${randomUUID()}/compressed-blobs/zstd/${digestHash(digest)}/${sizeBytes}`,
    );
    const sent = { bytes: 0, isWorthIt: true };
    try {
      const { committedSize } = await channel.tell(
        ByteStream.method.write,
        compressedRequests(name, read(), sent),
        signal,
        { workedBytes: sizeBytes },
      );
      if (!sent.isWorthIt) return undefined;
      sentBytes += sent.bytes;
      // -1: it has the blob already. Some say how large that is.
      if ([BigInt(sent.bytes), -1n, BigInt(sizeBytes)].includes(committedSize)) return sentBytes;
      throw new ReapiFailure('unavailable', `the server took ${committedSize} of ${exactBytes(sent.bytes)}`);
    } catch (error) {
      if (!sent.isWorthIt || isAboutCompression(error)) {
        signal.throwIfAborted();
        return undefined;
      }
      if (tries >= patience.tries || !isPassing(error)) throw error;
      await pauseBefore(tries++, patience, signal);
    }
  }
}

interface Sent {
  bytes: number;
  isWorthIt: boolean;
}

async function* compressedRequests(
  name: string,
  content: AsyncIterable<Uint8Array>,
  sent: Sent,
): AsyncGenerator<WriteRequest, void, undefined> {
  let resourceName = name;
  let held: Uint8Array | undefined;
  const request = (data: Uint8Array, finishWrite: boolean): WriteRequest => {
    const message = create(WriteRequestSchema, {
      ...{ resourceName, data, finishWrite },
      writeOffset: BigInt(sent.bytes),
    });
    [resourceName, sent.bytes] = ['', sent.bytes + data.byteLength];
    return message;
  };
  for await (const piece of inPieces(content)) {
    const frame = await compressFrame(piece);
    if (held === undefined && frame.byteLength > piece.byteLength * worthShare) {
      sent.isWorthIt = false;
      return;
    }
    if (held !== undefined) yield request(held, false);
    held = frame;
  }
  if (held !== undefined) yield request(held, true);
}

/** The same bytes, 1 MiB at a time. */
export async function* inPieces(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [parts, sizeBytes]: [Uint8Array[], number] = [[], 0];
  for await (const chunk of content)
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + pieceBytes - sizeBytes);
      parts.push(part);
      [at, sizeBytes] = [at + part.byteLength, sizeBytes + part.byteLength];
      if (sizeBytes < pieceBytes) continue;
      yield Buffer.concat(parts);
      [parts, sizeBytes] = [[], 0];
    }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}
