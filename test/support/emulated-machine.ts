// A machine that `cairn run` emulates: what its console says can be waited for, lines can be typed, and it is gone at the
// end, whatever became of it. All that it said is in a file, which every failure names.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../store/base/package-root.ts';
import { ConsoleText, type Found } from './console-text.ts';
import { freePort } from './free-port.ts';
import { startOwnCairn } from './own-flake.ts';
import { processesWith } from './processes.ts';

export interface MachineOptions {
  /** An image of this repository's flake. */
  readonly image: string;
  /** Further options of `cairn run`. */
  readonly options?: readonly string[];
}

/** What a machine says when it will not get any further. */
const hopeless = /Kernel panic - not syncing.*|You are in emergency mode|Synchronous Exception at.*/;

export class EmulatedMachine {
  /** A port of this machine that leads to the ssh server inside. */
  readonly sshPort: number;
  readonly logFile: string;
  readonly #name: string;
  readonly #cairn: ChildProcess;
  readonly #console = new ConsoleText();
  readonly #status: Promise<number | null>;
  readonly #startedMs = performance.now();
  /** What was said before counts no more. */
  #from = 0;
  #prompt: RegExp | undefined;

  /** Starts it; the image has been built. */
  static async start({ image, options = [] }: MachineOptions): Promise<EmulatedMachine> {
    return new EmulatedMachine([image, ...options], await freePort());
  }

  private constructor(words: readonly string[], sshPort: number) {
    this.sshPort = sshPort;
    this.#name = words.filter((word) => !word.startsWith('-') && !word.includes('/')).join(' ');
    this.logFile = logFileFor(this.#name);
    this.#cairn = startOwnCairn(['run', ...words, '--ssh-port', String(sshPort)]);
    const log = createWriteStream(this.logFile);
    for (const stream of [this.#cairn.stdout!, this.#cairn.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log.write(text);
        this.#console.add(text);
      });
    }
    // Typing to a machine that has just ended is no error of its own: whatever is waited for next says that it has.
    this.#cairn.stdin!.on('error', () => undefined);
    this.#status = once(this.#cairn, 'close').then(([status]) => {
      this.#console.close();
      log.end();
      return status as number | null;
    });
  }

  /** How long it has been running. */
  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** @throws Error when it has ended, or says that it gets no further. */
  requireAlive(): void {
    if (this.#console.isClosed) throw this.failure('it has ended');
    const [said] = hopeless.exec(this.said) ?? [];
    if (said !== undefined) throw this.failure(`it says "${said}"`);
  }

  /** What its console has said since the last `forget`. */
  get said(): string {
    return this.#console.text.slice(this.#from);
  }

  /** From now on, only what the machine says later is waited for. */
  forget(): void {
    this.#from = this.#console.text.length;
  }

  /** Waits until the console has said it. @throws Error with the end of what it said instead. */
  async waitFor(pattern: RegExp, { minutes = 15 } = {}): Promise<Found> {
    const either = new RegExp(`(?:${pattern.source})|${hopeless.source}`, pattern.flags);
    const found = await this.#console.find(either, { from: this.#from, seconds: minutes * 60 });
    if (found === undefined) {
      throw this.failure(
        this.#console.isClosed ? `it ended before it said ${pattern}` : `no ${pattern} in ${minutes} minutes`,
      );
    }
    if (hopeless.test(found.text)) throw this.failure(`it says "${found.text}"`);
    return found;
  }

  /** Writes how long the machine took until now to where test results go. */
  report(stage: string): void {
    console.log(`${this.#name}: ${stage} after ${this.seconds.toFixed(0)} s`);
  }

  type(line: string): void {
    this.#cairn.stdin!.write(`${line}\n`);
  }

  /** Waits until a kernel has been started since, and forgets what was said before. */
  async startsAgain(): Promise<void> {
    await this.waitFor(/Linux version/);
    this.forget();
  }

  /** Waits for the shell that is on the console, by its prompt, and has it no more repeat what is typed. */
  async openShell(prompt: RegExp): Promise<void> {
    await this.waitFor(prompt);
    this.#prompt = prompt;
    await this.#typeAtPrompt('stty -echo');
  }

  /** Runs a line in that shell. */
  async shell(line: string): Promise<{ status: number; output: string }> {
    const said = await this.#typeAtPrompt(`${line}; echo "<status $?>"`);
    const [, output = '', status] = /^([^]*)<status (\d+)>/.exec(said) ?? [];
    return { status: Number(status), output: output.trim() };
  }

  /** What the console says between a line and the next prompt. */
  async #typeAtPrompt(line: string): Promise<string> {
    this.forget();
    this.type(line);
    const { at } = await this.waitFor(this.#prompt!, { minutes: 3 });
    return this.#console.text.slice(this.#from, at).replaceAll('\r', '');
  }

  /** Waits until the machine has switched itself off. Gives the status of `cairn run`. */
  async switchedOff({ minutes = 5 } = {}): Promise<number | null> {
    if (!(await this.#endsWithin(minutes * 60)))
      throw this.failure(`it is still on after ${minutes} minutes`);
    return this.#status;
  }

  /** Ends it by Ctrl-A x, or by force when that does not help. @throws Error when something of it is left. */
  async end(): Promise<void> {
    this.#cairn.stdin!.write('\u0001x');
    if (!(await this.#endsWithin(30))) {
      this.#cairn.kill('SIGKILL');
      await this.#status;
      throw this.failure('Ctrl-A x did not end it');
    }
    const left = processesWith(`:${this.sshPort}-:22`);
    if (left.length > 0) throw this.failure(`processes ${left.join(', ')} are left`);
  }

  async #endsWithin(seconds: number): Promise<boolean> {
    const late = sleep(seconds * 1000, false, { ref: false });
    return Promise.race([this.#status.then(() => true), late]);
  }

  /** An error that says what the machine said last, and where the rest is. */
  failure(what: string): Error {
    const last = this.#console.text.trimEnd().split('\n').slice(-25).join('\n');
    return new Error(
      `${this.#name}, after ${this.seconds.toFixed(0)} s: ${what}\nThe console said last:\n${last}\nAll of it: ${this.logFile}`,
    );
  }
}

function logFileFor(name: string): string {
  const folder = join(packageRoot, 'node_modules/.cache/cairn-consoles');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${name.replaceAll(' ', '-')}.log`);
}
