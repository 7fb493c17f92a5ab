// A front before a gRPC server, as teams put one before theirs: it ends TLS, asks for tokens and client certificates,
// and does to what passes whatever a test wants.

import {
  createSecureServer,
  createServer,
  connect,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect as connectSocket, type AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { onTestFinished } from 'vitest';

export interface FrontOptions {
  /** PEM. Without it nothing is encrypted. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientAuthority?: string };
  /** The token that calls must have. */
  readonly token?: string;
  /** What becomes of a call: its path, and which one of that path it is, from 0. */
  readonly meddle?: (path: string, nth: number) => Meddling | undefined;
}

export interface Meddling {
  /** Of what the server answers; `end` breaks the call off. */
  readonly answer?: (bytes: Buffer, end: () => void) => Buffer;
  /** Of what the client says. */
  readonly question?: (bytes: Buffer, end: () => void) => Buffer;
  /** The question is not passed on before. */
  readonly answerAfterMs?: number;
  /** Answers nothing, ever. */
  readonly isSilent?: boolean;
}

export interface Front {
  readonly port: number;
  /** Paths of all calls so far. */
  readonly calls: readonly string[];
}

/** Where the server is. */
export type Upstream = { readonly path: string } | { readonly host: string; readonly port: number };

/** Lets so many bytes of a call pass. */
export function endAfter(sizeBytes: number): (bytes: Buffer, end: () => void) => Buffer {
  let left = sizeBytes;
  return (bytes, end) => {
    const passing = bytes.subarray(0, Math.max(0, left));
    if (left >= 0 && bytes.length > left) end();
    left -= bytes.length;
    return passing;
  };
}

/** In one of the bytes of a call. */
export function turnBit(at: number): (bytes: Buffer) => Buffer {
  let passed = 0;
  return (bytes) => {
    const inside = at - passed;
    passed += bytes.length;
    if (inside >= 0 && inside < bytes.length) bytes[inside]! ^= 4;
    return bytes;
  };
}

/** It is gone when the test has ended. */
export async function frontBefore(upstream: Upstream, options: FrontOptions = {}): Promise<Front> {
  const calls: string[] = [];
  const sessions = new Set<Http2Session>();
  const server = listening(options);
  server.on('session', (session) => sessions.add(session));
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    const path = String(headers[':path']);
    const nth = calls.filter((each) => each === path).length;
    calls.push(path);
    if (options.token !== undefined && headers.authorization !== `Bearer ${options.token}`) {
      const refusal = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' };
      stream.respond(refusal, { endStream: true });
      return;
    }
    const meddling = options.meddle?.(path, nth);
    if (meddling?.isSilent === true) return;
    const { answerAfterMs } = meddling ?? {};
    if (answerAfterMs === undefined) pass(stream, headers, upstream, meddling);
    else setTimeout(() => pass(stream, headers, upstream, meddling), answerAfterMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { port: (server.address() as AddressInfo).port, calls };
}

function listening({ tls }: FrontOptions): Http2Server {
  if (tls === undefined) return createServer();
  const { key, cert, clientAuthority } = tls;
  return createSecureServer({
    key,
    cert,
    ...(clientAuthority !== undefined && {
      ca: clientAuthority,
      requestCert: true,
      rejectUnauthorized: true,
    }),
  });
}

function pass(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  server: Upstream,
  { question, answer }: Meddling = {},
): void {
  const session = connect('http://localhost', { createConnection: () => connectSocket(server) });
  const breakOff = (): void => stream.close(2);
  // What has passed arrives first.
  const end = (): void => void setTimeout(breakOff, 50);
  session.on('error', breakOff);
  stream.on('close', () => session.destroy());
  const upstream = session.request(headers);
  let trailers: OutgoingHttpHeaders | undefined;
  upstream.on('error', breakOff);
  upstream.on('close', () => {
    if (trailers === undefined) breakOff();
  });
  upstream.on('response', (response) => {
    // An answer that is nothing but a status has it here, and no trailers.
    const isAll = response['grpc-status'] !== undefined;
    if (isAll) trailers = {};
    if (!stream.closed)
      stream.respond({ ...response }, isAll ? { endStream: true } : { waitForTrailers: true });
  });
  upstream.on('trailers', (given: IncomingHttpHeaders) => {
    trailers = { ...given };
  });
  stream.on('wantTrailers', () => {
    if (trailers === undefined) breakOff();
    else stream.sendTrailers(trailers);
  });
  stream.pipe(through(question, end)).pipe(upstream);
  upstream.pipe(through(answer, end)).pipe(stream);
}

function through(change: Meddling['answer'], end: () => void): Transform {
  let isBroken = false;
  const breakOff = (): void => {
    isBroken = true;
    end();
  };
  return new Transform({
    transform: (bytes: Buffer, _, done) => done(null, change === undefined ? bytes : change(bytes, breakOff)),
    // What was broken off has no end that the other side could take for the whole.
    flush: (done) => {
      if (!isBroken) done();
    },
  });
}
