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

  #release(): void {
    this.#held -= 1;
    if (this.#held > 0) {
      this.#put(1);
      return;
    }
    // Nothing runs: whatever tokens a killed build has taken with it, or a confused one has added, now is the time.
    while (this.#take());
    this.#put(this.slots);
  }

  #put(count: number): void {
    writeSync(this.#fifo, Buffer.alloc(count, '+'));
  }

  #take(): boolean {
    try {
      return readSync(this.#fifo, Buffer.alloc(1)) === 1;
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) return false;
      throw error;
    }
  }
}
