// What is sent to clients of gRPC: bytes are read when there is room for them, and are given back when they have been taken, or when
// nobody wants them any more. Knows no method.

import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { compressFrame } from '../../caches/zstd.ts';
import { inPieces } from '../../reapi/compressed-streams.ts';
import type { ReadRequest } from '../../reapi/messages/google/bytestream/bytestream_pb.ts';
import type { ConnectionEnds, Connections } from '../connections.ts';
import { Refusal } from '../refusal.ts';

export type Reader = ServerWritableStream<ReadRequest, { data: Uint8Array }>;

/** Go in one message of a stream. */
const messageBytes = 256 << 10;
/** Of one stream is on its way at once. */
const streamBytes = 1 << 20;
/** Is compressed at once. */
export const frameBytes = 1 << 20;

/** Room for the answer to one call. */
export class AnswerRoom {
  readonly #connections: Connections;
  readonly #ends: ConnectionEnds;
  readonly #over = new AbortController();
  readonly #frees = new Set<() => void>();

  constructor(
    call: Pick<ServerUnaryCall<unknown, unknown> | Reader, 'once'>,
    connections: Connections,
    ends: ConnectionEnds,
  ) {
    [this.#connections, this.#ends] = [connections, ends];
    // gRPC says so of every call that is over, also when all has been taken.
    call.once('cancelled', () => {
      this.#over.abort(new Refusal(408, 'the call is over'));
      for (const free of this.#frees) free();
    });
  }

  /** Nobody waits for the answer any more. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** To be called before so much is read. What it gives may be called when it has been taken; the end of the call does it as well. */
  async take(sizeBytes: number): Promise<() => void> {
    const give = await this.#connections.hold(this.#ends, sizeBytes, this.#over.signal);
    return this.#untilOver(give);
  }

  /** The client has to take the answer now, or is cut off. */
  answered(): void {
    if (!this.isOver) this.#untilOver(this.#connections.busy(this.#ends));
  }

  #untilOver(end: () => void): () => void {
    const once = (): void => {
      if (this.#frees.delete(once)) end();
    };
    this.#frees.add(once);
    if (this.isOver) once();
    return once;
  }
}

/**
 * Sends no more than the client takes. Ends early when it has gone. What `bytes` reads at once is `pieceBytes`, or all of it.
 * @throws Refusal when the call ends while it waits for room; what `bytes` throws
 */
export async function sendAll(
  call: Reader,
  bytes: AsyncGenerator<Uint8Array, void, undefined>,
  {
    room,
    sizeBytes,
    pieceBytes,
  }: { readonly room: AnswerRoom; readonly sizeBytes: number; readonly pieceBytes: number },
): Promise<void> {
  const gone = new Promise<void>((resolve) => call.once('cancelled', () => resolve()));
  const underWay: Promise<void>[] = [];
  const isWhole = sizeBytes <= pieceBytes;
  if (isWhole) await room.take(sizeBytes);
  try {
    for (;;) {
      const free = isWhole ? undefined : await room.take(pieceBytes);
      const next = await bytes.next();
      if (next.done === true || call.cancelled) break;
      underWay.push(send(call, next.value).then(free));
      if (underWay.length * pieceBytes > streamBytes) await Promise.race([underWay.shift()!, gone]);
    }
    await Promise.race([Promise.all(underWay), gone]);
  } finally {
    await bytes.return();
  }
}

/** Resolves when all of it has been taken. */
async function send(call: Reader, bytes: Uint8Array): Promise<void> {
  const taken: Promise<void>[] = [];
  for (let at = 0; at < bytes.byteLength; at += messageBytes) {
    const data = bytes.subarray(at, at + messageBytes);
    taken.push(new Promise((resolve) => call.write({ data }, () => resolve())));
  }
  await Promise.all(taken);
}

/** In frames of 1 MiB. */
export async function* deflated(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of inPieces(bytes)) yield await compressFrame(piece);
}
