// One GNU make jobserver for all running builds: whoever runs something holds a token, so that together they keep every
// core busy and never more. The protocol is a fifo with one byte for each free token (GNU make 4.4 manual, "POSIX
// Jobserver Interaction"). Knows nothing of steps.

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';
import { join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import type { JobPool } from '../sandbox/conditions.ts';
import { makeFifos } from '../sandbox/rigs.ts';
import type { SandboxTool } from '../sandbox/tool.ts';

/** The right to run one thing. */
export interface Token {
  /** Gives it back; a second call does nothing. */
  release(): void;
}

export interface Jobserver extends JobPool {
  /** The fifo, to be mounted into sandboxes. */
  readonly path: string;
  /** How many tokens there are. */
  readonly slots: number;
  /**
   * Waits for a token. Each running build needs one for its first process; make inside takes and gives back others.
   * Who asks first gets one first. @throws the signal's reason when it is aborted while waiting.
   */
  acquire(signal: AbortSignal): Promise<Token>;
  /** Call when nothing runs any more. The fifo stays in its folder. */
  close(): void;
}

export interface JobserverOptions {
  /** Where the fifo goes; it belongs to the caller. */
  readonly folder: string;
  readonly slots: number;
  readonly tool: SandboxTool;
}

/** Makes the fifo with all its tokens. */
export async function createJobserver({ folder, slots, tool }: JobserverOptions): Promise<Jobserver> {
  const path = join(folder, 'jobserver');
  await makeFifos([path], tool);
  return new FifoJobserver(path, slots);
}

/** What a fifo holds at most, pipe(7). */
const fifoBytes = 65_536;

class FifoJobserver implements Jobserver {
  readonly path: string;
  readonly slots: number;
  /** Open for reading and writing, so that the tokens stay when nobody else has the fifo open. */
  readonly #fifo: number;
  /** Wakes when a token is there, while somebody waits. Reads one byte at a time: what it takes, no build can. */
  readonly #reader: Socket;
  readonly #waiting = new Set<() => void>();
  #held = 0;

  constructor(path: string, slots: number) {
    this.path = path;
    this.slots = slots;
    this.#fifo = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#put(slots);
    // The constructor takes `onread`, as its documentation says; its types leave that to `connect`.
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
      onread: { buffer: Buffer.alloc(1), callback: () => this.#arrived() },
    };
    this.#reader = new Socket(options);
    this.#reader.pause();
  }

  async acquire(signal: AbortSignal): Promise<Token> {
    signal.throwIfAborted();
    if (this.#waiting.size > 0 || !this.#take()) await this.#wait(signal);
    else this.#held += 1;
    let isHeld = true;
    return {
      release: () => {
        if (isHeld) this.#release();
        isHeld = false;
      },
    };
  }

  close(): void {
    this.#reader.destroy();
    closeSync(this.#fifo);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        signal.removeEventListener('abort', abandon);
        this.#waiting.delete(give);
        act();
      };
      const give = (): void => settle(resolve);
      const abandon = (): void => settle(() => reject(signal.reason as Error));
      signal.addEventListener('abort', abandon);
      this.#waiting.add(give);
      this.#reader.resume();
    });
  }

  // A token was read. Answers whether to go on reading.
  #arrived(): boolean {
    if (!this.#give()) this.#put(1);
    return this.#waiting.size > 0;
  }

  // Hands a token that was taken from the fifo to whoever waits the longest.
  #give(): boolean {
    const [give] = this.#waiting;
    if (give === undefined) return false;
    this.#held += 1;
    give();
    return true;
  }

  // Each time, more than there can be goes: what is neither held here nor by a make is in the fifo, and no more than that.
  // When nothing runs, what a killed build has taken with it comes back too.
  #release(): void {
    this.#held -= 1;
    const free = this.slots - this.#held;
    const found = this.#drain();
    this.#put(this.#held === 0 ? free : Math.min(found + 1, free));
  }

  // A build may have filled the fifo, or be at it: then there are tokens enough, and the next release takes them out.
  #put(count: number): void {
    try {
      writeSync(this.#fifo, Buffer.alloc(count, '+'));
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error;
    }
  }

  // How many bytes were in the fifo, as far as it matters: a build that goes on writing must not keep this going on.
  #drain(): number {
    const bytes = Buffer.alloc(fifoBytes);
    let found = 0;
    for (let reads = 0; reads < 2; reads++) {
      const read = this.#read(bytes);
      found += read;
      if (read === 0) break;
    }
    return found;
  }

  #take(): boolean {
    return this.#read(Buffer.alloc(1)) === 1;
  }

  #read(bytes: Buffer): number {
    try {
      return readSync(this.#fifo, bytes);
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return 0;
      throw error;
    }
  }
}
