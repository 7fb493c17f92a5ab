// One call of gRPC, as the server has it (PROTOCOL-HTTP2 of gRPC): its head, the messages that come when they are asked for, and what
// goes back. Knows what a message is made of as little as HTTP/2 does.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { asStream } from '../../base/as-stream.ts';
import { UserError } from '../../base/errors.ts';
import { exactBytes } from '../../base/exact-bytes.ts';
import { ByteReader } from '../../caches/pieces.ts';
import type { ConnectionEnds } from '../connections.ts';
import type { Gathered, Intake } from '../intake.ts';
import { Refusal } from '../refusal.ts';

const head = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,deflate,gzip',
};
/** Whether it is compressed, and how long it is. */
const prefixBytes = 5;
const expanders = new Map([
  ['gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
]);
const unitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
const longestMs = 2 ** 31 - 1;

export interface CallOptions {
  readonly ends: ConnectionEnds;
  readonly intake: Intake;
  readonly messageBytes: number;
}

export class Call {
  /** `/SERVICE/METHOD`. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly ends: ConnectionEnds;
  readonly #stream: ServerHttp2Stream;
  readonly #options: CallOptions;
  readonly #encoding: string;
  readonly #over = new AbortController();
  readonly #deadline: NodeJS.Timeout | undefined;
  #reader: ByteReader | undefined;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: CallOptions) {
    [this.#stream, this.#options, this.ends] = [stream, options, options.ends];
    this.path = headers[':path'] ?? '';
    this.authorization = headers.authorization;
    this.#encoding = String(headers['grpc-encoding'] ?? 'identity');
    const timeoutMs = timeoutIn(headers['grpc-timeout']);
    if (timeoutMs !== undefined)
      this.#deadline = setTimeout(() => {
        this.end({ code: status.DEADLINE_EXCEEDED, details: 'the deadline has passed' });
        this.#leave();
      }, timeoutMs);
    stream.once('close', () => this.#leave());
  }

  /** Aborted when nobody waits for it any more, also when all of the answer has been taken. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** All of the next message, which is the taker's to end; undefined when the client has sent all. @throws Refusal */
  async next(): Promise<Gathered | undefined> {
    try {
      return await this.#next();
    } catch (error) {
      if (error instanceof Refusal || error instanceof UserError) throw error;
      if (this.#stream.destroyed) throw callOver();
      throw new Refusal(422, (error as Error).message);
    }
  }

  async #next(): Promise<Gathered | undefined> {
    const { intake, messageBytes } = this.#options;
    this.#reader ??= new ByteReader(
      this.#stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    );
    const prefix = await this.#reader.take(prefixBytes);
    if (prefix === undefined) return undefined;
    const length = prefix.readUInt32BE(1);
    if (length > messageBytes)
      throw new Refusal(413, `no message of more than ${exactBytes(messageBytes)} is taken`);
    const gathered = await intake.gather(this.#reader.pass(length), messageBytes);
    return prefix[0] === 0 ? gathered : this.#expanded(gathered);
  }

  /** Resolves when it has been taken, or nobody wants it any more. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.#over.signal.aborted || this.#isAnswered) {
        resolve();
        return;
      }
      if (!this.#stream.headersSent) this.#stream.respond(head, { waitForTrailers: true });
      const prefix = Buffer.alloc(prefixBytes);
      prefix.writeUInt32BE(message.byteLength, 1);
      this.#stream.cork();
      this.#stream.write(prefix);
      this.#stream.write(message, () => resolve());
      this.#stream.uncork();
    });
  }

  /** Says how it ended. What the client sends after that is not looked at. */
  end({ code, details }: { readonly code: status; readonly details: string }): void {
    if (this.#isAnswered) return;
    const trailers = { 'grpc-status': code, 'grpc-message': encodeURI(details) };
    if (this.#stream.headersSent) {
      this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(trailers));
      this.#stream.end();
    } else this.#stream.respond({ ...head, ...trailers }, { endStream: true });
    // Of whom nothing was read yet, Node hears no more.
    if (this.#reader !== undefined) this.#stream.resume();
  }

  // A stream that was reset is closed, and not destroyed as long as something of it is unread: Node refuses answers to it.
  get #isAnswered(): boolean {
    return this.#stream.destroyed || this.#stream.closed || this.#stream.writableEnded;
  }

  #leave(): void {
    clearTimeout(this.#deadline);
    this.#over.abort(callOver());
  }

  async #expanded(gathered: Gathered): Promise<Gathered> {
    const { intake, messageBytes } = this.#options;
    await using compressed = gathered;
    const expand = expanders.get(this.#encoding);
    if (expand === undefined)
      throw new Refusal(501, 'messages that are compressed in this way are not taken');
    using held = await compressed.open(messageBytes);
    const content = await expand(held.bytes, { maxOutputLength: messageBytes }).catch(() => {
      throw new Refusal(422, 'a compressed message is damaged, or too large');
    });
    return await intake.gather(asStream(content), messageBytes);
  }
}

/** Nobody is told of it. */
function callOver(): Refusal {
  return new Refusal(408, 'the call is over');
}

function timeoutIn(header: string | readonly string[] | undefined): number | undefined {
  const [, count, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  return unit === undefined ? undefined : Math.min(longestMs, Math.ceil(Number(count) * unitsMs[unit]!));
}
