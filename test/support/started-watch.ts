// `cairn watch --json` while it runs, read as it goes: its records, one after the other.

import type { ChildProcess } from 'node:child_process';
import { onTestFailed, onTestFinished } from 'vitest';
import { parseRecords, type ParsedRecord } from './json-records.ts';

/** A watch under way: its records, one after the other. */
export class StartedWatch {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  #text = '';
  #stderr = '';
  #taken = 0;
  #news = (): void => undefined;

  constructor(process: ChildProcess) {
    this.process = process;
    process.stdout!.on('data', (chunk: Buffer | string) => {
      this.#text += chunk.toString();
      this.#news();
    });
    process.stderr!.on('data', (chunk: Buffer | string) => (this.#stderr += chunk.toString()));
    this.ended = new Promise((resolve) => {
      process.once('close', (status: number | null) => {
        resolve(status);
        this.#news();
      });
    });
    // What a watch did not do is seen from what it did.
    onTestFailed(() => console.error(`the watch said:\n${this.#text}${this.#stderr}`));
    onTestFinished(() => void process.kill('SIGKILL'));
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** All records so far, each compared with the schema. */
  records(): readonly ParsedRecord[] {
    return parseRecords(this.#text.slice(0, this.#text.lastIndexOf('\n') + 1));
  }

  /** The records since the last call, up to the first of a type with these fields, for which it waits. */
  async until(type: string, fields: ParsedRecord = {}): Promise<readonly ParsedRecord[]> {
    for (;;) {
      const records = this.records();
      const at = records.findIndex((record, at) => at >= this.#taken && isLike(record, { type, ...fields }));
      if (at >= 0) {
        const passed = records.slice(this.#taken, at + 1);
        this.#taken = at + 1;
        return passed;
      }
      const isOver = this.process.exitCode !== null;
      if (isOver) throw new Error(`it ended before ${type}: ${this.#text}${this.#stderr}`);
      await new Promise<void>((resolve) => (this.#news = resolve));
    }
  }

  async end(): Promise<number | null> {
    this.process.kill('SIGINT');
    return this.ended;
  }
}

function isLike(record: ParsedRecord, wanted: ParsedRecord): boolean {
  return Object.entries(wanted).every(([name, value]) => record[name] === value);
}
