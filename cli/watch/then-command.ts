// --then: a command that is run with each success, in a process group of its own so that all of it can be ended. One runs at
// a time: what is left of the one before is ended first.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isErrno } from '../../store/base/errors.ts';

export interface ThenEnd {
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

export interface ThenOptions {
  readonly env: NodeJS.ProcessEnv;
  /** File descriptor that its output goes to. */
  readonly output: number;
  /** Told when it has ended by itself. */
  readonly onEnd: (end: ThenEnd) => void;
}

/** How long a command that is told to end may take. */
const graceMs = 5000;

export class ThenCommand {
  readonly #command: string;
  readonly #options: ThenOptions;
  #running:
    { readonly child: ChildProcess; readonly closed: Promise<unknown>; isEnding: boolean } | undefined;

  constructor(command: string, options: ThenOptions) {
    this.#command = command;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Ends the one before, and starts. */
  async start(): Promise<void> {
    await this.end();
    const { env, output, onEnd } = this.#options;
    const child = spawn('/bin/sh', ['-c', this.#command], {
      detached: true,
      env,
      stdio: ['ignore', output, 2],
    });
    const closed = once(child, 'close');
    const running = { child, closed, isEnding: false };
    this.#running = running;
    void closed.then(([status, signal]: unknown[]) => {
      if (this.#running === running) this.#running = undefined;
      if (!running.isEnding)
        onEnd({
          status: (status as number | null) ?? undefined,
          signal: (signal as string | null) ?? undefined,
        });
    });
  }

  /** Ends it, by force if need be, with all that it has started. */
  async end(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.isEnding = true;
    signalGroup(running.child, 'SIGTERM');
    const force = setTimeout(() => signalGroup(running.child, 'SIGKILL'), graceMs);
    await running.closed;
    clearTimeout(force);
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
