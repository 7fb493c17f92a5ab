// What is sent to clients of gRPC: bytes are read when there is room for them, and are given back when they have been taken, or when
// nobody wants them any more. Knows no method.

import { create, toBinary } from '@bufbuild/protobuf';
import { compressFrame } from '../../caches/zstd.ts';
import { inPieces } from '../../reapi/compressed-streams.ts';
import { ReadResponseSchema } from '../../reapi/messages/google/bytestream/bytestream_pb.ts';
import type { Connections } from '../connections.ts';
import type { Call } from './call.ts';

/** Go in one message of a stream. */
const messageBytes = 256 << 10;
/** Of one stream is on its way at once. */
const streamBytes = 1 << 20;
/** Is compressed at once. */
export const frameBytes = 1 << 20;

/** Room for the answer to one call. */
export class AnswerRoom {
  readonly #connections: Connections;
  readonly #call: Call;
  #heldBytes = 0;
  readonly #frees = new Set<() => void>();

  constructor(call: Call, connections: Connections) {
    [this.#call, this.#connections] = [call, connections];
    call.over.addEventListener('abort', () => {
      for (const free of this.#frees) free();
    });
  }

  /** To be called before so much is read. What it gives may be called when it has been taken; the end of the call does it as well. */
  async take(sizeBytes: number): Promise<() => void> {
    const give = await this.#connections.hold(this.#call.ends, sizeBytes, this.#call.over);
    return this.#untilOver(give);
  }

  /** The same for all of it, of which some may have been taken in this way: until the call is over. */
  async reach(sizeBytes: number): Promise<void> {
    const more = sizeBytes - this.#heldBytes;
    if (more <= 0) return;
    this.#heldBytes = sizeBytes;
    await this.take(more);
  }

  /** The client has to take the answer now, or is cut off. */
  answered(): void {
    if (!this.#call.over.aborted) this.#untilOver(this.#connections.busy(this.#call.ends));
  }

  #untilOver(end: () => void): () => void {
    const once = (): void => {
      if (this.#frees.delete(once)) end();
    };
    this.#frees.add(once);
    if (this.#call.over.aborted) once();
    return once;
  }
}

/**
 * Sends no more than the client takes. Ends early when it has gone. What `bytes` reads at once is `pieceBytes`, or all of it.
 * @throws Refusal when the call ends while it waits for room; what `bytes` throws
 */
export async function sendAll(
  call: Call,
  bytes: AsyncGenerator<Uint8Array, void, undefined>,
  {
    room,
    sizeBytes,
    pieceBytes,
  }: { readonly room: AnswerRoom; readonly sizeBytes: number; readonly pieceBytes: number },
): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    call.over.addEventListener('abort', () => resolve());
    if (call.over.aborted) resolve();
  });
  const underWay: Promise<void>[] = [];
  const isWhole = sizeBytes <= pieceBytes;
  if (isWhole) await room.take(sizeBytes);
  try {
    for (;;) {
      const free = isWhole ? undefined : await room.take(pieceBytes);
      const next = await bytes.next();
      if (next.done === true || call.over.aborted) break;
      underWay.push(send(call, next.value).then(free));
      if (underWay.length * pieceBytes > streamBytes) await Promise.race([underWay.shift()!, gone]);
    }
    await Promise.race([Promise.all(underWay), gone]);
  } finally {
    await bytes.return();
  }
}

/** Resolves when all of it has been taken. */
async function send(call: Call, bytes: Uint8Array): Promise<void> {
  const taken: Promise<void>[] = [];
  for (let at = 0; at < bytes.byteLength; at += messageBytes) {
    const data = bytes.subarray(at, at + messageBytes);
    taken.push(call.send(toBinary(ReadResponseSchema, create(ReadResponseSchema, { data }))));
  }
  await Promise.all(taken);
}

/** In frames of 1 MiB. */
export async function* deflated(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of inPieces(bytes)) yield await compressFrame(piece);
}
