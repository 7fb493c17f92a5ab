// Calls of gRPC by hand: its clients take everything there is, whether anybody reads it or not, and these take what they are told to.

import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { MethodDefinition } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

export type AnyMethod = MethodDefinition<Record<string, unknown>, Record<string, unknown>>;

/** A connection of its own, each of whose calls is sent so much before it has to take it. */
export async function rawConnection(
  url: string,
  { windowBytes = 65_535 }: { readonly windowBytes?: number } = {},
): Promise<ClientHttp2Session> {
  const session = connect(url.replace('grpc:', 'http:'), {
    settings: { initialWindowSize: windowBytes },
    // Megabytes: what waits to be sent is no reason to end it.
    maxSessionMemory: 1000,
  });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  await once(session, 'localSettings');
  return session;
}

/** A call of which nothing but its head is sent yet. */
export function openCall(
  session: ClientHttp2Session,
  { path }: AnyMethod,
  authorization?: string,
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(authorization !== undefined && { authorization }),
  });
  return stream.on('error', () => undefined);
}

/** A call with one question, whose answer nobody takes yet. */
export function rawCall(
  session: ClientHttp2Session,
  method: AnyMethod,
  question: Record<string, unknown>,
  authorization?: string,
): ClientHttp2Stream {
  const stream = openCall(session, method, authorization);
  stream.end(framed(method, question));
  return stream;
}

/** A message as it is sent. */
export function framed({ requestSerialize }: AnyMethod, question: Record<string, unknown>): Buffer {
  const message = requestSerialize(question);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}

/** What a call ends with. */
export async function statusIn(stream: ClientHttp2Stream): Promise<string> {
  const [ended] = (await Promise.race([once(stream, 'response'), once(stream, 'trailers')])) as [
    Record<string, unknown>,
  ];
  const told =
    ended['grpc-status'] ?? ((await once(stream, 'trailers')) as [Record<string, unknown>])[0]['grpc-status'];
  return String(told);
}

/** What the messages of an answer hold, all of it. */
export async function answersIn(stream: ClientHttp2Stream, method: AnyMethod) {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const all = Buffer.concat(parts);
  const answers: Record<string, unknown>[] = [];
  for (let at = 0; at < all.byteLength;) {
    const end = at + 5 + all.readUInt32BE(at + 1);
    answers.push(method.responseDeserialize(all.subarray(at + 5, end)));
    at = end;
  }
  return answers;
}
