// How many connections there may be at all doors together, and for how long: when there are too many, those give way that have
// waited longest without a request under way, so that whoever only keeps them open keeps nobody out. Whoever sends or takes next
// to nothing is cut off, and what is in memory for them is bounded (`untaken.ts`).

import type { Server, Socket } from 'node:net';
import { connectionEnded, Untaken, type UntakenLimits } from './untaken.ts';

export interface ConnectionLimits {
  readonly most: number;
  /** In so long, a connection with a request under way has to move at least so many bytes a second, again and again. */
  readonly graceMs: number;
  readonly leastBytesPerSecond: number;
  readonly lookEveryMs: number;
  readonly untaken: UntakenLimits;
}

/** What tells one connection from all others that are open. */
export type ConnectionEnds = Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>;

interface Connection {
  readonly socket: Socket;
  /** Requests under way, and those of them that wait for this side. */
  requests: number;
  waiting: number;
  waitingSinceMs: number;
  /** Since when it is looked at, and what had moved by then. */
  sinceMs: number;
  bytesBefore: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #all = new Map<string, Connection>();
  /** Without a request under way, waiting longest first: those that have never made one, and the others. */
  readonly #fresh = new Set<Connection>();
  readonly #idle = new Set<Connection>();
  readonly #timer: NodeJS.Timeout;
  readonly #untaken: Untaken;
  /** How many were cut off, by why. */
  readonly cutOff = { crowded: 0, slow: 0 };

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#cutSlow(), limits.lookEveryMs);
    this.#timer.unref();
    this.#untaken = new Untaken(limits.untaken, (socket) => this.#cut(socket));
  }

  /** From now on all that come to this door are among them. */
  watch(door: Pick<Server, 'on'>): void {
    door.on('connection', (socket: Socket) => this.#add(socket));
  }

  get count(): number {
    return this.#all.size;
  }

  /** Bytes that were read for them, and that they have not taken. */
  get untakenBytes(): number {
    return this.#untaken.sizeBytes;
  }

  /**
   * So much is about to be read into memory for a connection: resolves when there is room for it, with what is to be called when
   * it has been taken.
   * @throws the signal's reason; Refusal when the connection has ended
   */
  hold(ends: ConnectionEnds, sizeBytes: number, signal: AbortSignal): Promise<() => void> {
    const connection = this.#all.get(nameOf(ends));
    if (connection === undefined) return Promise.reject(connectionEnded());
    return this.#untaken.take(connection.socket, sizeBytes, signal);
  }

  /** A request has begun on a connection; what this gives is to be called when it has ended. */
  busy(ends: ConnectionEnds): () => void {
    const name = nameOf(ends);
    const connection = this.#all.get(name);
    if (connection === undefined) return () => undefined;
    this.#fresh.delete(connection);
    this.#idle.delete(connection);
    if (connection.requests++ === 0) {
      connection.sinceMs = performance.now();
      connection.bytesBefore = movedBytes(connection.socket);
    }
    return () => {
      if (--connection.requests === 0 && this.#all.get(name) === connection) this.#idle.add(connection);
    };
  }

  /** A request that is under way waits for this side, until what this gives is called: such time is nobody's slowness. */
  waits(ends: ConnectionEnds): () => void {
    const connection = this.#all.get(nameOf(ends));
    if (connection === undefined) return () => undefined;
    if (connection.waiting++ === 0) connection.waitingSinceMs = performance.now();
    return () => {
      if (--connection.waiting === 0) connection.sinceMs += performance.now() - connection.waitingSinceMs;
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#untaken.stop();
  }

  #add(socket: Socket): void {
    const connection: Connection = {
      socket,
      ...{ requests: 0, waiting: 0, waitingSinceMs: 0 },
      ...{ sinceMs: 0, bytesBefore: 0 },
    };
    const name = nameOf(socket);
    this.#all.set(name, connection);
    this.#fresh.add(connection);
    socket.once('close', () => {
      this.#fresh.delete(connection);
      this.#idle.delete(connection);
      if (this.#all.get(name) === connection) this.#all.delete(name);
    });
    if (this.#all.size > this.#limits.most) this.#makeRoom(connection);
  }

  #makeRoom(latest: Connection): void {
    const [waiting] = this.#fresh.size > 1 ? this.#fresh : this.#idle;
    const crowded = waiting ?? latest;
    this.#fresh.delete(crowded);
    this.#idle.delete(crowded);
    // It is no longer counted, whenever its end is heard of.
    this.#all.delete(nameOf(crowded.socket));
    this.#cut(crowded.socket);
  }

  #cut(socket: Socket): void {
    this.cutOff.crowded++;
    socket.destroy();
  }

  #cutSlow(): void {
    const { graceMs, leastBytesPerSecond } = this.#limits;
    const nowMs = performance.now();
    for (const connection of this.#all.values()) {
      const { socket, requests, waiting, sinceMs, bytesBefore } = connection;
      const forMs = nowMs - sinceMs;
      if (requests === 0 || waiting > 0 || forMs < graceMs) continue;
      const moved = movedBytes(socket);
      if (moved - bytesBefore < (forMs / 1000) * leastBytesPerSecond) {
        this.cutOff.slow++;
        socket.destroy();
      } else {
        // Who was quick once must not be slow for ever.
        connection.sinceMs = nowMs;
        connection.bytesBefore = moved;
      }
    }
  }
}

// Of the connection itself: what TLS makes of it has another object and the same name.
function nameOf({ remoteAddress = '', remotePort = 0, localPort = 0 }: ConnectionEnds): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

// What waits to be taken has not moved.
function movedBytes({ bytesRead, bytesWritten, writableLength }: Socket): number {
  return bytesRead + bytesWritten - writableLength;
}
