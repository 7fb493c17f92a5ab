// A buildbox-casd on a socket in its folder, for a test or a figure.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Buildbox } from './buildbox.ts';

export class CasServer {
  readonly #program: string;
  readonly #folder: string;
  readonly #options: readonly string[];
  #process: { readonly child: ChildProcess; readonly ended: Promise<unknown> } | undefined;

  private constructor(program: string, folder: string, options: readonly string[]) {
    this.#program = program;
    this.#folder = folder;
    this.#options = options;
  }

  /** To be stopped. */
  static async start(
    buildbox: Buildbox,
    folder: string,
    options: readonly string[] = ['--quota-high', '10G'],
  ): Promise<CasServer> {
    const server = new CasServer(buildbox['buildbox-casd'], folder, options);
    await server.start();
    return server;
  }

  get socket(): string {
    return join(this.#folder, 's');
  }

  get url(): string {
    return `grpc+unix://${this.socket}`;
  }

  /** Starts it again, with what it had. */
  async start(): Promise<void> {
    const child = spawn(
      this.#program,
      ['--bind', `unix:${this.socket}`, ...this.#options, join(this.#folder, 'cache')],
      // What it leaves when it is killed is the test's.
      { stdio: 'ignore', env: { ...process.env, TMPDIR: this.#folder } },
    );
    let hasEnded = false;
    const ended = once(child, 'exit').then(() => (hasEnded = true));
    this.#process = { child, ended };
    while (!(await answers(this.socket))) {
      if (hasEnded as boolean) throw new Error(`buildbox-casd ended with status ${child.exitCode}`);
      await pause(10);
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#process?.child.kill(signal);
    await this.#process?.ended;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
