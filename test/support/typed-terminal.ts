// The built cairn on a pseudo-terminal (script(1) of util-linux), as the person at this machine would run it, with keys that a
// test presses when it sees what it waits for.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { ConsoleText } from './console-text.ts';
import { startedBy } from './processes.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export const keys = { enter: '\r', interrupt: '\u0003', escape: '\u001b\u001b', f9: '\u001b[20~' } as const;

/** What is waited for longer than this does not come; before a menu does, it has to be compiled. */
const patienceSeconds = 900;

export class TypedTerminal {
  readonly #child: ChildProcess;
  readonly #screen = new ConsoleText();
  readonly #ended: Promise<unknown>;
  #seen = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => this.#screen.add(text));
    this.#ended = once(child, 'close').then(() => this.#screen.close());
  }

  /** Starts cairn with these words. */
  static start(
    words: readonly string[],
    { rows, columns }: TerminalSize = { rows: 30, columns: 100 },
  ): TypedTerminal {
    const main = join(packageRoot, 'dist/cli/main.js');
    const command = [process.execPath, main, ...words].map((word) => `'${word}'`).join(' ');
    const line = `stty cols ${columns} rows ${rows}; exec ${command}`;
    const env = { ...process.env, HOME: process.env['CAIRN_OWN_HOME'] ?? homedir() };
    const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd: packageRoot,
      env: { ...env, SHELL: '/bin/sh', TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return new TypedTerminal(child);
  }

  /** Waits until this is written behind what was waited for last. */
  async see(pattern: RegExp): Promise<void> {
    const found = await this.#screen.find(pattern, { from: this.#seen, seconds: patienceSeconds });
    if (found === undefined)
      throw new Error(`${pattern} was not seen behind: ${this.#screen.text.slice(this.#seen).slice(-2000)}`);
    this.#seen = found.at + found.text.length;
  }

  press(...pressed: readonly string[]): void {
    this.#child.stdin!.write(pressed.join(''));
  }

  /** Ids of all that runs on it. */
  processes(): readonly number[] {
    return startedBy(this.#child.pid!);
  }

  /** The terminal goes away. */
  hangUp(): void {
    this.#child.kill('SIGKILL');
  }

  /** The exit status, and all that was written. */
  async end(): Promise<{ readonly status: number | null; readonly text: string }> {
    await this.#ended;
    return { status: this.#child.exitCode, text: this.#screen.text };
  }
}
