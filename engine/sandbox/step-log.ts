// One step's log: a file that is written as output arrives, and the end of it for a person. Knows no process.

import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import type { DoneElsewhere } from '../../store/index.ts';
import { keepFailedLog, newLogPath } from './failed-logs.ts';

const tailLines = 20;
const tailBytes = 64 * 1024;

export class StepLog {
  /** The file; it is there once something was written, or after {@link keep}. */
  readonly path: string;
  readonly #folder: string;
  readonly #onText: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #file: number | undefined;
  #sizeBytes = 0;

  /** `folder` is made when it is needed; `onText` gets the log as text, never a part of a character. */
  constructor(folder: string, name: string, onText: (text: string) => void) {
    this.#folder = folder;
    this.path = newLogPath(folder, name);
    this.#onText = onText;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Gives the size of the log so far, in bytes. */
  write(chunk: Uint8Array): number {
    this.#file ??= this.#open();
    this.#sizeBytes += chunk.length;
    for (let at = 0; at < chunk.length;) at += writeSync(this.#file, chunk, at);
    const text = this.#decoder.write(chunk);
    if (text !== '') this.#onText(text);
    return this.#sizeBytes;
  }

  /** The lines so far. */
  lines(): readonly string[] {
    return this.#file === undefined ? [] : readFileSync(this.path, 'utf8').split('\n');
  }

  /** Ends the log after a success; the file, if there is one, is the caller's. */
  close(): void {
    const rest = this.#decoder.end();
    if (rest !== '') this.#onText(rest);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  /** Ends the log after a failure, of a step that was done here, or elsewhere: the file stays, even an empty one. */
  keep(elsewhere?: DoneElsewhere): readonly string[] {
    this.#file ??= this.#open();
    const tail = tailOf(this.#file);
    this.close();
    keepFailedLog(this.#folder, this.path, elsewhere);
    return tail;
  }

  /** Ends the log of a step that came to nothing. */
  remove(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  #open(): number {
    mkdirSync(this.#folder, { recursive: true });
    return openSync(this.path, 'wx+', 0o644);
  }
}

/** The last lines of a file, as they would stand on a terminal: no escape sequences, of a redrawn line the last state. */
function tailOf(file: number): readonly string[] {
  const sizeBytes = fstatSync(file).size;
  if (sizeBytes === 0) return [];
  const start = Math.max(0, sizeBytes - tailBytes);
  const bytes = Buffer.alloc(sizeBytes - start);
  readSync(file, bytes, 0, bytes.length, start);
  const lines = bytes.toString('utf8').replace(/\n$/, '').split('\n');
  // The first one is cut somewhere unless the file begins with it.
  const whole = start > 0 && lines.length > 1 ? lines.slice(1) : lines;
  return whole
    .slice(-tailLines)
    .map((line) => stripVTControlCharacters(line.replace(/\r+$/, '').replace(/^.*\r/, '')).trimEnd());
}
