// A served store over HTTP: any cairn reads it as a cache at a URL, and whoever has a token writes to it. Reads and writes through
// names alone; every limit is here or in `../connections.ts`. Never logs, counts or answers with what was shown as a token.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isErrno, UserError } from '../../base/errors.ts';
import { MissingBlob } from '../../store.ts';
import { Refusal } from '../refusal.ts';
import { parseServedName, type ServedName } from '../served-name.ts';
import type { ServedStore } from '../served-store.ts';
import { answerFile } from './answer-file.ts';
import { Connections, type ConnectionLimits } from '../connections.ts';
import { Metrics } from './metrics.ts';
import { connectionsWithin } from './open-files.ts';
import { RateLimit } from './rate-limit.ts';
import { holderOf, type Token } from './tokens.ts';

export interface ShelfServerOptions {
  /** Of those who may write; nobody may when there are none. */
  readonly tokens: readonly Token[];
  /** Reading needs a token, too. */
  readonly isPrivate: boolean;
  /** No more than leave room for the files of this process. */
  readonly mostConnections: number;
  /** Requests of one address. */
  readonly mostRequestsPerSecond: number;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array };
  /** How long who sends nothing, or next to nothing, is waited for, where that is not as usual. */
  readonly patience?: Partial<ServerPatience>;
  readonly onRequest?: (request: ServedRequest) => void;
  /** Told of what went wrong here: for whoever runs the server, and not for who asked. */
  readonly onError?: (error: unknown) => void;
}

/** A request that has ended, for a log. */
export interface ServedRequest {
  readonly at: Date;
  readonly address: string;
  /** Whose token was shown. */
  readonly holder: string | undefined;
  readonly method: string;
  /** Without what stands behind a `?`. */
  readonly path: string;
  readonly status: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly durationMs: number;
  /** False when the connection ended before the answer did. */
  readonly isWhole: boolean;
}

export interface ServerPatience extends Omit<ConnectionLimits, 'most'> {
  /** For the head of a request, or the beginning of TLS. */
  readonly headMs: number;
  /** For anything at all, within a request or before the next. */
  readonly idleMs: number;
}

const usualPatience: ServerPatience = {
  headMs: 10_000,
  idleMs: 60_000,
  graceMs: 30_000,
  leastBytesPerSecond: 1024,
  lookEveryMs: 2000,
  // Each connection of cairn's own has four answers of 4 MB under way at most.
  untaken: { ofOneBytes: 16 << 20, ofAllBytes: 64 << 20, giveWayMs: 10_000 },
};
/** Of a path that is nowhere, as much is told. */
const toldCharacters = 200;

export class ShelfServer {
  readonly metrics = new Metrics();
  readonly #served: ServedStore;
  readonly #options: ShelfServerOptions;
  readonly #server: Server;
  /** Those of other doors to the same store may be among them. */
  readonly connections: Connections;
  readonly #rate: RateLimit;
  readonly #underWay = new Set<ServerResponse>();
  #isStopping = false;

  private constructor(served: ServedStore, options: ShelfServerOptions) {
    this.#served = served;
    this.#options = options;
    this.#rate = new RateLimit(options.mostRequestsPerSecond);
    const { headMs, idleMs, ...slow } = { ...usualPatience, ...options.patience };
    const limits = {
      headersTimeout: headMs,
      // Bodies take as long as they need, as long as something comes.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, headMs),
      keepAliveTimeout: idleMs,
    };
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#answer(request, response);
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(limits, onRequest)
        : createTlsServer(
            {
              ...limits,
              cert: Buffer.from(tls.cert),
              key: Buffer.from(tls.key),
              handshakeTimeout: headMs,
            },
            onRequest,
          );
    this.#server.setTimeout(idleMs);
    this.#server.on('clientError', (_, socket) => socket.destroy());
    const most = connectionsWithin(options.mostConnections);
    this.connections = new Connections({ most, ...slow });
    this.connections.watch(this.#server);
  }

  /** @throws UserError `CACHE_INVALID` when it cannot listen there */
  static async listen(
    served: ServedStore,
    { host, port }: { readonly host: string; readonly port: number },
    options: ShelfServerOptions,
  ): Promise<ShelfServer> {
    try {
      const own = new ShelfServer(served, options);
      own.#server.listen({ host, port, backlog: 2048 });
      await once(own.#server, 'listening');
      return own;
    } catch (cause) {
      throw cannotListen(`${host}:${port}`, cause as Error);
    }
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    const scheme = this.#options.tls === undefined ? 'http' : 'https';
    return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Takes nothing new, and ends when what runs has ended, or after so long. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
    this.connections.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [at, startedMs] = [new Date(), performance.now()];
    const { socket } = request;
    const address = socket.remoteAddress ?? '';
    const before = { read: socket.bytesRead, written: socket.bytesWritten };
    const end = this.connections.busy(socket);
    this.#underWay.add(response);
    const holder = holderOf(request.headers.authorization, this.#options.tokens);
    response.on('close', () => {
      end();
      this.#underWay.delete(response);
      if (this.#isStopping) setImmediate(() => this.#server.closeIdleConnections());
      const [path = ''] = (request.url ?? '').split('?');
      const done: ServedRequest = {
        at,
        address,
        holder,
        method: knownMethods.has(request.method ?? '') ? request.method! : 'OTHER',
        path: path.slice(0, toldCharacters),
        status: response.statusCode,
        sentBytes: Math.max(0, socket.bytesWritten - before.written),
        receivedBytes: request.method === 'PUT' ? Math.max(0, socket.bytesRead - before.read) : 0,
        durationMs: Math.round((performance.now() - startedMs) * 10) / 10,
        isWhole: response.writableFinished,
      };
      this.metrics.request(done);
      this.#options.onRequest?.(done);
    });
    if (this.#isStopping) response.setHeader('connection', 'close');
    try {
      await this.#route(request, response, { address, holder });
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    { address, holder }: { readonly address: string; readonly holder: string | undefined },
  ): Promise<void> {
    const { method = '', url = '' } = request;
    const path = url.split('?', 1)[0]!;
    if (path === '/healthz' && method === 'GET') {
      this.#say(response, 200, 'ok\n');
      return;
    }
    if (!this.#rate.allows(address)) throw new Refusal(429, 'too many requests');
    if (this.#options.isPrivate && holder === undefined) throw new Refusal(401, 'a token is needed');
    if (path === '/metrics' && method === 'GET') {
      this.#tellMetrics(response);
      return;
    }
    const name = path.startsWith('/') ? parseServedName(path.slice(1)) : undefined;
    if (method === 'PUT') return this.#take(request, response, { name, holder });
    if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, 'that is not done here');
    const file = name && (await this.#served.find(name));
    if (file === undefined) throw new Refusal(404, 'there is no such file');
    await answerFile(request, response, file);
  }

  async #take(
    request: IncomingMessage,
    response: ServerResponse,
    { name, holder }: { readonly name: ServedName | undefined; readonly holder: string | undefined },
  ): Promise<void> {
    if (this.#options.tokens.length === 0) throw new Refusal(405, 'this cache is read only');
    if (holder === undefined) throw new Refusal(401, 'a token is needed');
    if (name === undefined) throw new Refusal(403, 'there is no such file, and none is made');
    const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
    // Who is refused in the middle is told so: the connection goes with the answer, and not before it.
    const sent = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    const waits = (): (() => void) => this.connections.waits(request.socket);
    const body = handedOn(sent, waits, () => response.once('close', waits()));
    await this.#served.write(name, body, {
      ...(match !== undefined && { match }),
      isAbsent: noneMatch === '*',
    });
    // Nothing is left unread on a connection that is used again.
    if (!request.readableEnded) request.resume();
    response.writeHead(201, { 'content-length': 0 }).end();
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, message } = asRefusal(error);
    const isOurs = status === 500 || status === 507;
    if (isOurs && !response.destroyed && !request.socket.destroyed) this.#options.onError?.(error);
    if (response.headersSent) return void response.destroy();
    if (status === 401) response.setHeader('www-authenticate', 'Bearer realm="cairn"');
    if (status === 405) response.setHeader('allow', 'GET, HEAD');
    if (status === 429) response.setHeader('retry-after', '1');
    // What is refused is not read to its end.
    if (!request.complete) response.setHeader('connection', 'close');
    this.#say(response, status, request.method === 'HEAD' ? '' : `${message}\n`);
  }

  #tellMetrics(response: ServerResponse): void {
    const text = this.metrics.text({
      connections: this.connections.count,
      underWay: this.#underWay.size,
      untakenBytes: this.connections.untakenBytes,
      incoming: this.#served.intake,
      cutOff: this.connections.cutOff,
    });
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(text);
  }

  #say(response: ServerResponse, status: number, text: string): void {
    if (response.destroyed) return;
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(text);
  }
}

const knownMethods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'MKCOL', 'PROPFIND']);

function asRefusal(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof Refusal) return error;
  if (error instanceof MissingBlob)
    return { status: 404, message: 'it was lost, and will be back when it is pushed' };
  if (isDiskFull(error)) return { status: 507, message: 'this cache is full' };
  return { status: 500, message: 'something went wrong here' };
}

/**
 * `begin` is told of the time in which whoever takes a chunk works on it, or waits for his turn, and what it gives, of its end;
 * `onEnd`, that all has come.
 */
async function* handedOn(
  chunks: AsyncIterable<Uint8Array>,
  begin: () => () => void,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    const end = begin();
    try {
      yield chunk;
    } finally {
      end();
    }
  }
  onEnd();
}

function isDiskFull(error: unknown): boolean {
  if (error instanceof UserError) return error.code === 'DISK_FULL';
  return isErrno(error, 'ENOSPC', 'EDQUOT');
}

function cannotListen(where: string, cause: Error): UserError {
  const reason = isErrno(cause, 'EADDRINUSE') ? 'somebody else does' : cause.message;
  return new UserError('CACHE_INVALID', `cannot listen at ${where}: ${reason}`, {
    hint: 'Name another address with --listen HOST:PORT.',
    fault: 'environment',
    cause,
  });
}
