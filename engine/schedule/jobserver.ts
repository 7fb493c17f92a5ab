// One GNU make jobserver for all running builds: whoever runs something holds a token, so that together they keep every
// core busy and never more. Each build has a fifo of its own, with one byte for each token that is free for it (GNU make 4.4
// manual, "POSIX Jobserver Interaction"); tokens are dealt out among these here, so that a build can keep, lose or invent
// only its own, and they are all back when it ends. Knows nothing of steps.

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import { isErrno } from '../../store/base/errors.ts';

/** The right to run one thing, and as many more as make takes out of the fifo. */
export interface Share {
  /** Gives all of it back, whatever has become of it. Call when nothing of the build runs any more, once or more often. */
  leave(): void;
}

/** What a fifo holds at most, pipe(7). */
const fifoBytes = 65_536;
/** After this long, tokens that nobody has taken go on to the next build. */
const dealEveryMs = 50;
/** So long a build waits for its first token while others keep theirs. Then it begins, lest one that gives none back stop all. */
const usualPatienceMs = 10_000;

interface Member {
  readonly path: string;
  /** Open for reading and writing, so that tokens stay when nobody else has the fifo open. */
  readonly fifo: number;
  /** Tokens beside the first: in the fifo, or taken out of it. */
  given: number;
  /** Wakes when a token comes back, while somebody waits. Reads one byte at a time: what it takes, no make can. */
  reader: Socket | undefined;
}

export class Jobserver {
  /** How many tokens there are. */
  readonly slots: number;
  readonly #patienceMs: number;
  /** Tokens that nobody has; below 0 when builds have begun without one. */
  #free: number;
  /** Builds that take tokens, the next to be dealt to first. */
  readonly #members: Member[] = [];
  readonly #waiting = new Set<() => void>();
  #dealing: NodeJS.Timeout | undefined;

  constructor(slots: number, { patienceMs = usualPatienceMs }: { readonly patienceMs?: number } = {}) {
    this.slots = slots;
    this.#free = slots;
    this.#patienceMs = patienceMs;
  }

  /**
   * Waits for a token: each running build needs one for its first process. From then on others come and go through `fifo`,
   * if it has one, which nobody else uses meanwhile. Who asks first gets one first.
   * @throws the signal's reason when it is aborted while waiting.
   */
  async join(fifo: string | undefined, signal: AbortSignal): Promise<Share> {
    signal.throwIfAborted();
    if (this.#waiting.size > 0 || !this.#take()) await this.#wait(signal);
    const member = fifo === undefined ? undefined : this.#open(fifo);
    if (member !== undefined) this.#members.push(member);
    this.#deal();
    let isIn = true;
    return {
      leave: () => {
        if (isIn) this.#leave(member);
        isIn = false;
      },
    };
  }

  #open(fifo: string): Member {
    try {
      return openMember(fifo);
    } catch (error) {
      this.#leave(undefined);
      throw error;
    }
  }

  #leave(member: Member | undefined): void {
    this.#free += 1;
    if (member !== undefined) {
      this.#members.splice(this.#members.indexOf(member), 1);
      this.#free += member.given;
      member.reader?.destroy();
      closeSync(member.fifo);
    }
    this.#deal();
  }

  #take(): boolean {
    if (this.#free <= 0) this.#gather();
    if (this.#free <= 0) return false;
    this.#free -= 1;
    return true;
  }

  #wait(signal: AbortSignal): Promise<void> {
    for (const member of this.#members) this.#listen(member);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        signal.removeEventListener('abort', abandon);
        clearTimeout(impatience);
        this.#waiting.delete(give);
        act();
      };
      const give = (): void => {
        this.#free -= 1;
        settle(resolve);
      };
      const abandon = (): void => settle(() => reject(signal.reason as Error));
      const impatience = setTimeout(give, this.#patienceMs);
      signal.addEventListener('abort', abandon);
      this.#waiting.add(give);
    });
  }

  // Takes every token out that is free, hands one to each who waits, and puts the others evenly into the fifos.
  #deal(): void {
    this.#gather();
    for (const give of this.#waiting) {
      if (this.#free <= 0) break;
      give();
    }
    const count = this.#members.length;
    const each = Math.floor(Math.max(0, this.#free) / count);
    const more = Math.max(0, this.#free) % count;
    for (const [at, member] of this.#members.entries()) this.#put(member, each + (at < more ? 1 : 0));
    this.#dealAgain();
  }

  // Whether a build wants more cannot be seen: what one does not take, another may.
  #dealAgain(): void {
    const isWorthIt = this.#members.length > 1 || (this.#members.length > 0 && this.#waiting.size > 0);
    if (isWorthIt) {
      this.#dealing ??= setInterval(() => {
        this.#members.push(...this.#members.splice(0, 1));
        this.#deal();
      }, dealEveryMs).unref();
    } else {
      clearInterval(this.#dealing);
      this.#dealing = undefined;
    }
  }

  #gather(): void {
    for (const member of this.#members) this.#takeBack(member, drain(member.fifo));
  }

  // A build gives back what it was given, and no more: the rest are bytes.
  #takeBack(member: Member, found: number): void {
    const tokens = Math.min(found, member.given);
    member.given -= tokens;
    this.#free += tokens;
  }

  #put(member: Member, tokens: number): void {
    if (tokens === 0 || !fill(member.fifo, tokens)) return;
    member.given += tokens;
    this.#free -= tokens;
  }

  #listen(member: Member): void {
    if (member.given === 0) return;
    member.reader ??= readerOf(member.path, () => this.#arrived(member));
    member.reader.resume();
  }

  // A byte was read. Answers whether to go on reading.
  #arrived(member: Member): boolean {
    this.#takeBack(member, 1);
    this.#deal();
    return this.#waiting.size > 0 && member.given > 0;
  }
}

function openMember(path: string): Member {
  const fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  // What an earlier build has left, which runs no more.
  while (drain(fifo) > 0);
  return { path, fifo, given: 0, reader: undefined };
}

function readerOf(path: string, onByte: () => boolean): Socket {
  // The constructor takes `onread`, as its documentation says; its types leave that to `connect`.
  const options: SocketConstructorOpts & ConnectOpts = {
    fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
    onread: { buffer: Buffer.alloc(1), callback: onByte },
  };
  return new Socket(options).pause();
}

// How many bytes were in the fifo, as far as it matters: a build that goes on writing must not keep this going on.
function drain(fifo: number): number {
  let found = 0;
  for (let reads = 0; reads < 2; reads++) {
    const read = readNow(fifo);
    found += read;
    if (read < scratch.length) break;
  }
  return found;
}

const scratch = Buffer.alloc(fifoBytes);

function readNow(fifo: number): number {
  try {
    return readSync(fifo, scratch);
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 0;
    throw error;
  }
}

// False when a build has filled it, or is at it: then there is enough in it.
function fill(fifo: number, tokens: number): boolean {
  try {
    writeSync(fifo, Buffer.alloc(tokens, '+'));
    return true;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return false;
    throw error;
  }
}
