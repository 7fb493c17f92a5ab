// What a machine wrote to its console so far, as plain text that can be waited for. Knows nothing of the machine.

import { stripVTControlCharacters } from 'node:util';

/** The start of a control sequence whose end has not come yet. */
const halfSequence = /\u001b(?:[[()][\d;?]*)?$/;

export class ConsoleText {
  #text = '';
  #half = '';
  #closed = false;
  readonly #listeners = new Set<() => void>();

  /** All of it, without control sequences. */
  get text(): string {
    return this.#text;
  }

  /** Nothing more will come. */
  get isClosed(): boolean {
    return this.#closed;
  }

  add(chunk: string): void {
    const raw = this.#half + chunk;
    this.#half = halfSequence.exec(raw)?.[0] ?? '';
    this.#text += stripVTControlCharacters(raw.slice(0, raw.length - this.#half.length));
    this.#tell();
  }

  close(): void {
    this.#closed = true;
    this.#tell();
  }

  /** The first match at or after `from`; undefined when there is none before the time is up or the console closed. */
  find(pattern: RegExp, { from, seconds }: { from: number; seconds: number }): Promise<Found | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = pattern.exec(this.#text.slice(from));
        if (found !== null) end({ text: found[0], groups: found.slice(1), at: from + found.index });
        else if (this.#closed) end(undefined);
      };
      const end = (found: Found | undefined): void => {
        this.#listeners.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => end(undefined), seconds * 1000);
      this.#listeners.add(look);
      look();
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export interface Found {
  readonly text: string;
  /** What the pattern's groups matched. */
  readonly groups: readonly string[];
  readonly at: number;
}
