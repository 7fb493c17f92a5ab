// What was read into memory for clients and is not taken by them yet: so many bytes for one connection, and for all together. Who
// wants more waits, in order. When somebody waits for what others have and none of it moves, that connection gives way which has had
// its part for longest: so whoever takes nothing keeps nobody out. Knows no protocol.

import type { Socket } from 'node:net';
import { Refusal } from './refusal.ts';

export interface UntakenLimits {
  readonly ofOneBytes: number;
  readonly ofAllBytes: number;
  /** So long the first in line waits until room is made. */
  readonly giveWayMs: number;
}

/** A part of the room, or who waits for one. */
interface Part {
  readonly owner: Owner;
  readonly sizeBytes: number;
  /** Since when it is had. */
  sinceMs: number;
  readonly grant: () => void;
  readonly refuse: (why: Error) => void;
}

/** A connection that has some of it. */
interface Owner {
  readonly socket: Socket;
  sizeBytes: number;
}

export class Untaken {
  readonly #limits: UntakenLimits;
  readonly #owners = new Map<Socket, Owner>();
  /** Had for longest first. */
  readonly #held = new Set<Part>();
  readonly #waiting = new Set<Part>();
  readonly #giveWay: (socket: Socket) => void;
  #sizeBytes = 0;
  /** Who waits for what others have, and is next. */
  #first: Part | undefined;
  /** Runs as long as it is the same one. */
  #timer: NodeJS.Timeout | undefined;

  /** @param giveWay ends a connection */
  constructor(limits: UntakenLimits, giveWay: (socket: Socket) => void) {
    this.#limits = limits;
    this.#giveWay = giveWay;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Resolves when there is room, with what gives it back; a connection gives back all that is its own when it ends.
   * @throws the signal's reason; Refusal when the connection has ended
   */
  take(socket: Socket, sizeBytes: number, signal: AbortSignal): Promise<() => void> {
    const { ofOneBytes, ofAllBytes } = this.#limits;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (socket.destroyed) throw connectionEnded();
      const leave = (): void => this.#refuse(part, signal.reason as Error);
      const part: Part = {
        owner: this.#ownerOf(socket),
        // What is larger than all there is has it for itself.
        sizeBytes: Math.min(sizeBytes, ofOneBytes, ofAllBytes),
        sinceMs: 0,
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve(() => this.#free(part));
        },
        refuse: (why) => {
          signal.removeEventListener('abort', leave);
          reject(why);
        },
      };
      signal.addEventListener('abort', leave);
      this.#waiting.add(part);
      this.#look();
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ownerOf(socket: Socket): Owner {
    const known = this.#owners.get(socket);
    if (known !== undefined) return known;
    const owner: Owner = { socket, sizeBytes: 0 };
    this.#owners.set(socket, owner);
    socket.once('close', () => {
      this.#owners.delete(socket);
      for (const part of this.#waiting) if (part.owner === owner) this.#refuse(part, connectionEnded());
      for (const part of this.#held) if (part.owner === owner) this.#free(part);
    });
    return owner;
  }

  #refuse(part: Part, why: Error): void {
    if (!this.#waiting.delete(part)) return;
    part.refuse(why);
    this.#look();
  }

  #free(part: Part): void {
    if (!this.#held.delete(part)) return;
    part.owner.sizeBytes -= part.sizeBytes;
    this.#sizeBytes -= part.sizeBytes;
    this.#look();
  }

  // Who waits for his own connection keeps no other waiting; who waits for all others is passed by nobody behind him.
  #look(): void {
    const { ofOneBytes, ofAllBytes } = this.#limits;
    let first: Part | undefined;
    for (const part of this.#waiting) {
      const { owner, sizeBytes } = part;
      if (owner.sizeBytes + sizeBytes > ofOneBytes) continue;
      if (this.#sizeBytes + sizeBytes > ofAllBytes) {
        first = part;
        break;
      }
      this.#waiting.delete(part);
      this.#held.add(part);
      part.sinceMs = performance.now();
      owner.sizeBytes += sizeBytes;
      this.#sizeBytes += sizeBytes;
      part.grant();
    }
    if (first === this.#first) return;
    this.#first = first;
    this.#await();
  }

  #await(): void {
    clearTimeout(this.#timer);
    if (this.#first === undefined) return;
    const { giveWayMs } = this.#limits;
    this.#timer = setTimeout(() => {
      const [longest] = this.#held;
      if (longest !== undefined && performance.now() - longest.sinceMs >= giveWayMs)
        this.#giveWay(longest.owner.socket);
      this.#await();
    }, giveWayMs);
    this.#timer.unref();
  }
}

/** Nobody is told of it. */
export function connectionEnded(): Refusal {
  return new Refusal(408, 'the connection has ended');
}
