// One connection to a server: its encryption, what shows it who we are, and calls of protobuf methods over it. Knows nothing of
// what is asked.

import { setMaxListeners } from 'node:events';
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
import { asFailure, ReapiFailure, TooSlow } from './failure.ts';
import { waitMs, type Load, type Patience } from './patience.ts';

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

/** What the question and its answer are, beside the question's own bytes, which count anyway. */
export interface AskOptions extends Load {
  /** Instead of what the connection has. */
  readonly idleMs?: number;
}

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
    { movedBytes = 0, workedBytes = 0, idleMs = this.#patience.idleMs }: AskOptions = {},
  ): Promise<MessageShape<Output>> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const asked = encoder(method.input)(question);
      const call = this.#client.makeUnaryRequest(
        pathOf(method),
        asIs,
        decoder(method.output),
        asked,
        this.#metadata,
        (error, answer) => {
          watch.end();
          if (error !== null) reject(watch.reasonFor(asFailure(error, method.name)));
          else if (answer === undefined) reject(withoutAnswer(method.name));
          else resolve(answer);
        },
      );
      const watch = new CallWatch(call, { what: method.name, signal, idleMs });
      watch.move({ movedBytes: movedBytes + asked.byteLength, workedBytes });
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
    const watch = new CallWatch(call, { what: method.name, signal, idleMs });
    watch.move();
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
   * Many messages, one answer, which may come before the last of them is sent: then the rest is not asked for. Before it comes, the
   * server may have to go through `workedBytes`.
   * @throws ReapiFailure; the signal's reason; what `messages` throws
   */
  async tell<Input extends DescMessage, Output extends DescMessage>(
    method: Method<'client_streaming', Input, Output>,
    messages: AsyncIterable<MessageShape<Input>>,
    signal: AbortSignal,
    { workedBytes = 0 }: Pick<Load, 'workedBytes'> = {},
  ): Promise<MessageShape<Output>> {
    signal.throwIfAborted();
    // As a duplex stream, whose answer does not make sending what follows an error.
    const call: ClientDuplexStream<Buffer, MessageShape<Output>> = this.#client.makeBidiStreamRequest(
      pathOf(method),
      asIs,
      decoder(method.output),
      this.#metadata,
    );
    const { idleMs } = this.#patience;
    const watch = new CallWatch(call, { what: method.name, signal, idleMs });
    const encode = encoder(method.input);
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
      let movedBytes = 0;
      for await (const message of messages) {
        if (heard.isOver || heard.answer !== undefined) break;
        const bytes = encode(message);
        movedBytes = bytes.byteLength;
        watch.move({ movedBytes });
        if (!call.write(bytes)) await Promise.race([drained(call), ended]);
        // It is not the server that the next one is waited for from.
        watch.pause();
      }
      // The last of them may still be on its way.
      watch.move({ movedBytes, workedBytes });
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

interface CallWatchOptions {
  /** What is called. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly idleMs: number;
}

// Ends a call that is not wanted any more, or that has stood still for too long.
class CallWatch {
  readonly #call: Cancellable;
  readonly #options: CallWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #tooSlow: TooSlow | undefined;

  constructor(call: Cancellable, options: CallWatchOptions) {
    this.#call = call;
    this.#options = options;
    setMaxListeners(0, options.signal); // every call under way listens: many are no leak
    options.signal.addEventListener('abort', this.#cancel);
  }

  readonly #cancel = (): void => this.#call.cancel();

  /** Something came or went, and from now on the server is waited for, with this to do. */
  move(load: Load = {}): void {
    this.pause();
    const { what, idleMs } = this.#options;
    if (idleMs === Infinity) return;
    const ms = waitMs(idleMs, load);
    this.#timer = setTimeout(() => {
      this.#tooSlow = new TooSlow(what, ms);
      this.#call.cancel();
    }, ms);
  }

  /** It is not the server that is waited for. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** @throws when the stream ended for a reason of ours. */
  check(): void {
    this.#options.signal.throwIfAborted();
    if (this.#tooSlow !== undefined) throw this.#tooSlow;
  }

  reasonFor(error: Error): Error {
    const { signal } = this.#options;
    return signal.aborted ? (signal.reason as Error) : (this.#tooSlow ?? error);
  }

  end(): void {
    this.pause();
    this.#options.signal.removeEventListener('abort', this.#cancel);
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

function asIs(bytes: Buffer): Buffer {
  return bytes;
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
