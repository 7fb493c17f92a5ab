// What an action writes while it is done, from servers that stream it: a ByteStream of the name that they give, which ends when the log
// does. For whoever watches: it is not verified, and what is kept comes with the result.

import { create } from '@bufbuild/protobuf';
import type { Connection } from './connection.ts';
import { isPassing } from './failure.ts';
import { ByteStream, ReadRequestSchema } from './messages/google/bytestream/bytestream_pb.ts';
import { pauseBefore } from './patience.ts';

/** Takes a piece, and where in the log it begins, in bytes: with 0 a log begins, which may be the one of another try. */
export type TakeOutput = (bytes: Uint8Array, offset: number) => void;

/** A program may be silent for hours. */
const noHurry = { idleMs: Infinity };

export class LiveLog {
  readonly #connection: Connection;
  readonly #take: TakeOutput;
  readonly #signal: AbortSignal;
  #name = '';
  #stop = new AbortController();

  constructor(connection: Connection, take: TakeOutput, signal: AbortSignal) {
    this.#connection = connection;
    this.#take = take;
    this.#signal = signal;
  }

  /** The server says that the log is there. Another name is another try of the action, whose log begins anew. */
  isAt(name: string): void {
    if (name === '' || name === this.#name) return;
    this.end();
    this.#name = name;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    // That it does not come is nobody's failure.
    this.#follow(name, AbortSignal.any([signal, this.#signal])).catch(() => undefined);
  }

  /** Nothing is taken any more. */
  end(): void {
    this.#stop.abort();
  }

  // Goes on where it broke off; whoever moves on has as many tries again.
  async #follow(resourceName: string, signal: AbortSignal): Promise<void> {
    const { channel, patience } = this.#connection;
    let offset = 0;
    for (let tries = 1; ;) {
      const question = create(ReadRequestSchema, { resourceName, readOffset: BigInt(offset) });
      try {
        for await (const { data } of channel.askForStream(
          ByteStream.method.read,
          question,
          signal,
          noHurry,
        )) {
          if (signal.aborted) return;
          if (data.byteLength === 0) continue;
          this.#take(data, offset);
          offset += data.byteLength;
          tries = 1;
        }
        return;
      } catch (error) {
        if (tries >= patience.tries || !isPassing(error)) throw error;
        await pauseBefore(tries++, patience, signal);
      }
    }
  }
}
