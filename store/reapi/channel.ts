// One connection to a server: its encryption, what shows it who we are, and calls of protobuf methods over it. Knows nothing of
// what is asked.

import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type MessageShape,
} from '@bufbuild/protobuf';
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import { UserError } from '../base/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { asFailure, ReapiFailure } from './failure.ts';
import type { Patience } from './patience.ts';

export interface Credentials {
  /** Certificates in PEM that the server's must follow from, instead of the usual ones. */
  readonly authorities?: Uint8Array;
  /** Our own certificate in PEM, and its key. */
  readonly certificate?: { readonly chain: Uint8Array; readonly key: Uint8Array };
  readonly token?: string;
}

type Method<
  Kind extends DescMethod['methodKind'],
  Input extends DescMessage,
  Output extends DescMessage,
> = Pick<DescMethod, 'parent' | 'name'> & {
  readonly methodKind: Kind;
  readonly input: Input;
  readonly output: Output;
};

/** Servers take it amiss when they are asked more often than every five minutes whether they are there. */
const keepaliveMs = 310_000;
/** An answer may be as large as what servers allow, and a little more. */
const largestMessageBytes = 16 << 20;

export class Channel {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #patience: Patience;

  /** @throws UserError `CACHE_INVALID` for credentials that are none, or that anybody could read on their way. */
  constructor(endpoint: Endpoint, given: Credentials, patience: Patience) {
    this.#patience = patience;
    if (given.token !== undefined) {
      if (!endpoint.isEncrypted && !endpoint.isOnThisMachine) throw inClear();
      if (!/^[\x21-\x7e]+$/.test(given.token)) throw unusable('the token has spaces or other odd characters');
      this.#metadata.set('authorization', `Bearer ${given.token}`);
    }
    this.#client = new Client(endpoint.address, channelCredentials(endpoint, given), {
      'grpc-node.flow_control_window': 8 << 20,
      'grpc.max_receive_message_length': largestMessageBytes,
      'grpc.max_send_message_length': -1,
      'grpc.enable_retries': 0,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  close(): void {
    this.#client.close();
  }

  /** One question, one answer. @throws ReapiFailure; the signal's reason */
  ask<Input extends DescMessage, Output extends DescMessage>(
    method: Method<'unary', Input, Output>,
    question: MessageShape<Input>,
    signal: AbortSignal,
  ): Promise<MessageShape<Output>> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const call = this.#client.makeUnaryRequest(
        pathOf(method),
        encoder(method.input),
        decoder(method.output),
        question,
        this.#metadata,
        { deadline: Date.now() + this.#patience.answerMs },
        (error, answer) => {
          signal.removeEventListener('abort', cancel);
          if (signal.aborted) reject(signal.reason as Error);
          else if (error !== null) reject(asFailure(error, method.name));
          else if (answer === undefined) reject(withoutAnswer(method.name));
          else resolve(answer);
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel);
    });
  }

  /** One question, many answers, as they come. @throws ReapiFailure; the signal's reason */
  async *askForStream<Input extends DescMessage, Output extends DescMessage>(
    method: Method<'server_streaming', Input, Output>,
    question: MessageShape<Input>,
    signal: AbortSignal,
    { idleMs }: Pick<Patience, 'idleMs'> = this.#patience,
  ): AsyncGenerator<MessageShape<Output>, void, undefined> {
    signal.throwIfAborted();
    const call: ClientReadableStream<MessageShape<Output>> = this.#client.makeServerStreamRequest(
      pathOf(method),
      encoder(method.input),
      decoder(method.output),
      question,
      this.#metadata,
    );
    const watch = new StreamWatch(call, signal, idleMs);
    try {
      for await (const answer of call as AsyncIterable<MessageShape<Output>>) {
        watch.pause();
        yield answer;
        watch.move();
      }
      watch.check();
    } catch (error) {
      throw watch.reasonFor(asFailure(error, method.name));
    } finally {
      watch.end();
      call.cancel();
    }
  }

  /**
   * Many messages, one answer, which may come before the last of them is sent: then the rest is not asked for.
   * @throws ReapiFailure; the signal's reason; what `messages` throws
   */
  async tell<Input extends DescMessage, Output extends DescMessage>(
    method: Method<'client_streaming', Input, Output>,
    messages: AsyncIterable<MessageShape<Input>>,
    signal: AbortSignal,
  ): Promise<MessageShape<Output>> {
    signal.throwIfAborted();
    // As a duplex stream, whose answer does not make sending what follows an error.
    const call: ClientDuplexStream<
      MessageShape<Input>,
      MessageShape<Output>
    > = this.#client.makeBidiStreamRequest(
      pathOf(method),
      encoder(method.input),
      decoder(method.output),
      this.#metadata,
    );
    const watch = new StreamWatch(call, signal, this.#patience.idleMs);
    const heard: Heard<MessageShape<Output>> = { isOver: false };
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        heard.isOver = true;
        resolve();
      };
      call.on('data', (answer: MessageShape<Output>) => (heard.answer = answer));
      call.on('error', (failure) => {
        heard.failure ??= failure;
        end();
      });
      call.on('end', end);
    });
    try {
      for await (const message of messages) {
        if (heard.isOver || heard.answer !== undefined) break;
        watch.move();
        if (!call.write(message)) await Promise.race([drained(call), ended]);
      }
      watch.move();
      call.end();
      await ended;
      if (heard.failure !== undefined) throw heard.failure;
      watch.check();
      if (heard.answer === undefined) throw withoutAnswer(method.name);
      return heard.answer;
    } catch (error) {
      throw watch.reasonFor(asFailure(error, method.name));
    } finally {
      watch.end();
      call.cancel();
    }
  }
}

/** Of a call to which we are still speaking. */
interface Heard<Answer> {
  answer?: Answer;
  failure?: Error;
  isOver: boolean;
}

interface Cancellable {
  cancel(): void;
}

// Ends a stream that is not wanted any more, or that has stood still for too long.
class StreamWatch {
  readonly #call: Cancellable;
  readonly #signal: AbortSignal;
  readonly #idleMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isTooSlow = false;

  constructor(call: Cancellable, signal: AbortSignal, idleMs: number) {
    this.#call = call;
    this.#signal = signal;
    this.#idleMs = idleMs;
    signal.addEventListener('abort', this.#cancel);
    this.move();
  }

  readonly #cancel = (): void => this.#call.cancel();

  /** Something came or went. */
  move(): void {
    this.pause();
    if (this.#idleMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#isTooSlow = true;
      this.#call.cancel();
    }, this.#idleMs);
  }

  /** It is not the server that is waited for. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** @throws when the stream ended for a reason of ours. */
  check(): void {
    this.#signal.throwIfAborted();
    if (this.#isTooSlow) throw this.#tooSlow();
  }

  reasonFor(error: Error): Error {
    if (this.#signal.aborted) return this.#signal.reason as Error;
    return this.#isTooSlow ? this.#tooSlow() : error;
  }

  end(): void {
    this.pause();
    this.#signal.removeEventListener('abort', this.#cancel);
  }

  #tooSlow(): ReapiFailure {
    return new ReapiFailure('unavailable', `nothing moved for ${this.#idleMs} ms`);
  }
}

function drained(call: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => call.once('drain', resolve));
}

function withoutAnswer(what: string): ReapiFailure {
  return new ReapiFailure('wrong', `${what}: the server ended without an answer`);
}

function pathOf({ parent, name }: Pick<DescMethod, 'parent' | 'name'>): string {
  return `/${parent.typeName}/${name}`;
}

function encoder<Desc extends DescMessage>(schema: Desc): (message: MessageShape<Desc>) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function decoder<Desc extends DescMessage>(schema: Desc): (bytes: Buffer) => MessageShape<Desc> {
  return (bytes) => fromBinary(schema, bytes);
}

function channelCredentials(
  { isEncrypted }: Endpoint,
  { authorities, certificate }: Credentials,
): ChannelCredentials {
  if (!isEncrypted) {
    if (authorities === undefined && certificate === undefined) return credentials.createInsecure();
    throw unusable('it has certificates, but its URL is not a grpcs: one');
  }
  try {
    return credentials.createSsl(
      buffer(authorities),
      buffer(certificate?.key) ?? null,
      buffer(certificate?.chain) ?? null,
    );
  } catch {
    // The cause may quote the key.
    throw unusable('its certificates or key are not PEM, or do not belong together');
  }
}

function buffer(bytes: Uint8Array | undefined): Buffer | null {
  return bytes === undefined ? null : Buffer.from(bytes);
}

function inClear(): UserError {
  return new UserError(
    'CACHE_INVALID',
    'a token for a Remote Execution API cache would be sent unencrypted',
    {
      hint: 'Use a grpcs: URL.',
    },
  );
}

function unusable(why: string): UserError {
  return new UserError('CACHE_INVALID', `a Remote Execution API cache cannot be asked: ${why}`, {
    hint: 'Look at its certificates, key and token.',
  });
}
