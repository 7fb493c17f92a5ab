// This process's side of the launcher: one child that starts all sandboxes. Knows nothing of what runs in them.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../store/base/errors.ts';
import { workerUrl } from '../../store/base/package-root.ts';
import type { Launch, LaunchEnd, LauncherReply, LauncherRequest } from './launch-protocol.ts';
import { endedChildrenCpuMs } from './process-tree.ts';
import { spawnClean } from './spawn-clean.ts';

/** A sandbox that was started. */
export interface Launched {
  /** Bubblewrap's process. */
  readonly pid: number;
  /** Resolves when every process of it is gone. */
  readonly ended: Promise<LaunchEnd>;
  /** Ends it at once. */
  kill(): void;
}

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export class Launcher {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #starting = new Map<number, Settle<Launched>>();
  readonly #running = new Map<number, Settle<LaunchEnd>>();
  #launches = 0;

  constructor() {
    const program = fileURLToPath(workerUrl('engine/workers/launcher.ts'));
    this.#process = spawnClean([process.execPath, program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      isDetached: true,
    });
    this.#exited = once(this.#process, 'exit');
    this.#process.on('message', (reply: LauncherReply) => this.#hear(reply));
    this.#process.on('disconnect', () => this.#lose());
    this.#process.unref();
    this.#process.channel?.unref();
  }

  /**
   * Starts a sandbox. @throws the error of starting a process (`E2BIG`, `ENOENT` …), or UserError
   * `SANDBOX_UNAVAILABLE` when the launcher is gone.
   */
  launch(launch: Launch): Promise<Launched> {
    const number = this.#launches++;
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) throw launcherGone();
      // Only while something is under way does the launcher keep this process alive.
      this.#process.channel?.ref();
      this.#starting.set(number, { resolve, reject });
      this.#say({ kind: 'launch', number, launch });
    });
  }

  /** Processor time of all sandboxes that have ended, in milliseconds. */
  cpuMs(): number {
    return this.#process.exitCode === null ? endedChildrenCpuMs(this.#process.pid!) : 0;
  }

  /** Ends the launcher, and with it every sandbox it has started. */
  async close(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    this.#process.ref();
    await this.#exited;
  }

  #say(request: LauncherRequest): void {
    if (this.#process.connected) this.#process.send(request);
  }

  #hear(reply: LauncherReply): void {
    const { number } = reply;
    switch (reply.kind) {
      case 'started':
        this.#starting.get(number)?.resolve(this.#launched(number, reply.pid));
        this.#starting.delete(number);
        break;
      case 'refused':
        this.#starting.get(number)?.reject(Object.assign(new Error(reply.message), { code: reply.code }));
        this.#starting.delete(number);
        break;
      case 'ended':
        this.#running.get(number)?.resolve(reply);
        this.#running.delete(number);
        break;
    }
    if (this.#starting.size + this.#running.size === 0) this.#process.channel?.unref();
  }

  #launched(number: number, pid: number): Launched {
    const ended = new Promise<LaunchEnd>((resolve, reject) => this.#running.set(number, { resolve, reject }));
    return { pid, ended, kill: () => this.#say({ kind: 'kill', number }) };
  }

  #lose(): void {
    for (const { reject } of [...this.#starting.values(), ...this.#running.values()]) reject(launcherGone());
    this.#starting.clear();
    this.#running.clear();
  }
}

function launcherGone(): UserError {
  return new UserError('SANDBOX_UNAVAILABLE', 'the process that starts sandboxes has ended', {
    hint: 'It may have been killed for want of memory. Run the command again, with fewer jobs perhaps.',
    fault: 'environment',
  });
}
