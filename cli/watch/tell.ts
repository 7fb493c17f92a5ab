// What a person, or a program, is told of a watch beside the builds themselves: what has changed, what is wrong, that it
// waits.

import { relative } from 'node:path';
import type { Round } from '../../engine/watch/index.ts';
import type { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import type { JsonRecord, RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';
import { abbreviate } from '../render/names.ts';
import { plainLine } from '../render/plain-text.ts';
import { formatCount, formatDuration } from '../render/units.ts';
import { errorLines } from '../reports/report-error.ts';
import type { ThenEnd } from './then-command.ts';

/** So many paths are told one by one. */
const toldPaths = 20;

export class Teller {
  readonly #context: Context;
  /** Something was told since it was told that it waits. */
  #hasNews = true;

  constructor(context: Context) {
    this.#context = context;
  }

  roundBegins({ number, changes }: Round): void {
    this.#hasNews = true;
    const paths = changes === 'anything' ? [] : [...changes].sort();
    if (this.#isForMachines) {
      const count = changes === 'anything' ? undefined : changes.size;
      this.#record({ type: 'round', round: number, changed: paths.slice(0, toldPaths), changedCount: count });
      return;
    }
    if (number === 1) return;
    const names = paths.map((path) => plainLine(relative(process.cwd(), path)));
    const { style } = this.#context.err;
    const some = changes === 'anything' ? 'many files' : 'something';
    this.#line(`${style.accent('changed')} ${names.length === 0 ? some : abbreviate(names)}`);
  }

  roundEnds({ number }: Round, result: RecordOf<'round-finished'>['result'], elapsedMs: number): void {
    if (this.#isForMachines)
      this.#record({ type: 'round-finished', round: number, result, elapsedMs: Math.round(elapsedMs) });
    // Whoever ends the watch has changed nothing.
    else if (result === 'cancelled' && !this.#context.signal.aborted)
      this.#line(
        this.#context.err.style.dim(`given up after ${formatDuration(elapsedMs)}: it has changed again`),
      );
  }

  /** What is wrong with the sources; undefined when nothing is wrong any more. */
  problem(problem: UserError | undefined): void {
    this.#hasNews = true;
    const { err } = this.#context;
    if (problem === undefined) {
      if (this.#isForMachines) this.#record({ type: 'problem-solved' });
      else this.#line(`${err.style.good('solved')} what was wrong`);
      return;
    }
    const { code, message, where, hint } = problem;
    if (this.#isForMachines) this.#record({ type: 'problem', code, message, where, hint });
    else err.lines(errorLines({ code, message, where, hint }, err.style));
  }

  waits(folders: number): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    if (this.#isForMachines) this.#record({ type: 'waiting', folders });
    else {
      const watched = folders === 0 ? '' : ` in ${formatCount(folders, 'folder')} and the config`;
      this.#line(this.#context.err.style.dim(`waiting for changes${watched} (Ctrl-C ends)`));
    }
  }

  /** The port that was chosen for the machine of --run. */
  port(sshPort: number | undefined): void {
    if (sshPort !== undefined) this.#line(`ssh: port ${sshPort} of localhost`);
  }

  /** The machine of --run was switched off, or has ended by itself. */
  machineEnds(): void {
    this.#line(
      this.#context.err.style.dim('the machine has ended; the next result starts it again (Ctrl-C ends)'),
    );
  }

  commandEnds({ status, signal }: ThenEnd): void {
    if (this.#isForMachines) this.#record({ type: 'then-finished', status, signal });
    else if (status !== 0) {
      const how = signal === undefined ? `with status ${status ?? 'unknown'}` : `by ${signal}`;
      this.#line(`${this.#context.err.style.warn('note')} the command of --then ended ${how}`);
    }
  }

  get #isForMachines(): boolean {
    return this.#context.shared.json === true;
  }

  #line(line: string): void {
    this.#context.err.lines([line]);
  }

  #record(record: JsonRecord): void {
    writeRecords(this.#context.out, [record]);
  }
}
