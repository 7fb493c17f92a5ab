// A door for gRPC over HTTP/2: calls as they begin, by their heads. What a call sends is gathered, message by message, when somebody asks
// for it (`../intake.ts`), and nothing of it is read before: so who is refused by his head costs no memory, and neither does who
// takes his time. Knows no method, no message and no token.

import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { Intake } from '../intake.ts';
import { Call } from './call.ts';

export interface DoorOptions {
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array };
  readonly intake: Intake;
  /** The largest message that is taken. */
  readonly messageBytes: number;
  readonly onCall: (call: Call) => void;
}

const callsOfConnection = 200;
const handshakeMs = 10_000;
/** Who does not answer until the next time is gone. */
const pingEveryMs = 60_000;
/** So long a connection is kept on which nobody calls. */
const idleMs = 300_000;
/** Of one connection, beside what each of its calls may send unread. */
const windowBytes = 1 << 20;
/** What is on its way to one connection is bounded elsewhere (`../untaken.ts`); beyond this, Node refuses calls. */
const sessionMegabytes = 256;

interface Visit {
  calls: number;
  idleSinceMs: number;
  isAsked: boolean;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  readonly #visits = new Map<ServerHttp2Session, Visit>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: DoorOptions) {
    this.#options = options;
    const limits = {
      settings: { maxConcurrentStreams: callsOfConnection },
      maxSessionMemory: sessionMegabytes,
    };
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(limits)
        : createSecureServer({
            ...limits,
            cert: Buffer.from(tls.cert),
            key: Buffer.from(tls.key),
            handshakeTimeout: handshakeMs,
          });
    this.#server.on('session', (session: ServerHttp2Session) => this.#enter(session));
    this.#server.on('unknownProtocol', (socket: Socket) => socket.destroy());
    this.#server.on('sessionError', () => undefined);
    this.#timer = setInterval(() => this.#look(), pingEveryMs);
    this.#timer.unref();
  }

  /** A connection that came to whoever listens. */
  admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#server.emit('connection', socket);
  }

  /** Takes no more calls, and ends when those under way have, or after so long. */
  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#timer);
    const open = [...this.#sockets];
    const closed = open.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, 'close'));
    for (const session of this.#visits.keys()) session.close();
    const timer = setTimeout(() => open.forEach((socket) => socket.destroy()), graceMs);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #enter(session: ServerHttp2Session): void {
    const visit: Visit = { calls: 0, idleSinceMs: performance.now(), isAsked: false };
    const { remoteAddress, remotePort, localPort = 0 } = session.socket;
    const ends = { remoteAddress, remotePort, localPort };
    this.#visits.set(session, visit);
    session.on('error', () => undefined);
    session.once('close', () => this.#visits.delete(session));
    session.setLocalWindowSize(windowBytes);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      visit.calls++;
      stream.once('close', () => {
        visit.calls--;
        visit.idleSinceMs = performance.now();
      });
      if (headers[constants.HTTP2_HEADER_METHOD] !== 'POST' || !isGrpc(headers['content-type'])) {
        stream.respond({ ':status': 415 }, { endStream: true });
        return;
      }
      this.#options.onCall(new Call(stream, headers, { ends, ...this.#options }));
    });
  }

  #look(): void {
    const nowMs = performance.now();
    for (const [session, visit] of this.#visits) {
      if (visit.isAsked) session.destroy();
      else if (visit.calls === 0 && nowMs - visit.idleSinceMs >= idleMs) session.close();
      else visit.isAsked = session.ping(() => (visit.isAsked = false));
    }
  }
}

function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc($|[+;])/.test(contentType ?? '');
}
