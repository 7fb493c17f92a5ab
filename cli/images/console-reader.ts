// What a machine says on its console, as somebody reads it who waits for certain texts. Pure; knows nothing of machines,
// processes and time.

import { stripVTControlCharacters } from 'node:util';

/** A control sequence at the end of a piece that may go on in the next one. */
const unfinished = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[ -/]*)?$/;

/** As long as nobody means a sequence to be. */
const longestSequence = 1024;

/** What Linux says when it goes no further. */
const panic = /Kernel panic - not syncing.*/;

export class ConsoleReader {
  readonly #missing: Set<string>;
  /** As much of what was read as the rest of an awaited text may follow. */
  #before = '';
  readonly #kept: number;
  #half = '';
  #lines: string[] = [''];
  #panic: string | undefined;
  readonly #keptLines: number;

  /** `awaited`: what is waited for, none of it empty. */
  constructor(awaited: Iterable<string>, { keptLines = 20 } = {}) {
    this.#missing = new Set(awaited);
    this.#kept = Math.max(0, ...[...this.#missing].map((text) => text.length - 1));
    this.#keptLines = keptLines;
  }

  /** What was awaited and has not been said. */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** The last lines that say something. */
  get lastLines(): readonly string[] {
    return this.#lines.filter((line) => line.trim() !== '').slice(-this.#keptLines);
  }

  /** Linux's words when it has given up. */
  get panic(): string | undefined {
    return this.#panic;
  }

  /** Reads a piece as it came, wherever it begins and ends. Gives what was awaited and is complete with it. */
  read(piece: string): readonly string[] {
    const raw = this.#half + piece;
    const half = unfinished.exec(raw)?.[0] ?? '';
    this.#half = half.length > longestSequence ? '' : half;
    const text = plain(raw.slice(0, raw.length - this.#half.length));
    this.#keepLines(text);
    const all = this.#before + text;
    const found = [...this.#missing].filter((awaited) => all.includes(awaited));
    for (const awaited of found) this.#missing.delete(awaited);
    this.#before = this.#kept === 0 ? '' : all.slice(-this.#kept);
    return found;
  }

  #keepLines(text: string): void {
    const [first = '', ...more] = text.split('\n');
    this.#lines.push(this.#lines.pop()! + first, ...more);
    // The last one may go on.
    const whole = this.#lines.slice(0, -1);
    this.#panic ??= whole.map((line) => panic.exec(line)?.[0]).find((said) => said !== undefined);
    // Some of them may be empty.
    this.#lines = this.#lines.slice(-2 * this.#keptLines).map((line) => line.slice(-longestLine));
  }
}

const longestLine = 2000;

/** Without what only a terminal understands. Consoles end lines with "\r\n", and some with "\r\r\n". */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\r', '');
}
