// --run: a machine that is started with each result, with its console on this terminal. One runs at a time: the one before is
// ended first, unless it was started from the very same.

import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import { readyMachine, type ReadyMachine, type RunWish } from '../images/ready-machine.ts';
import { runOnTerminal } from '../images/run-machine.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { asPersonsError } from '../reports/persons-error.ts';
import type { Teller } from './tell.ts';
import { isAbort, type Wanted, type WatchedProject } from './watched-project.ts';

export interface WatchedMachineOptions {
  readonly project: WatchedProject;
  readonly teller: Teller;
  readonly wish: RunWish;
}

interface Running {
  readonly content: string;
  readonly ending: AbortController;
  /** Resolves when it has ended, however that came about. */
  readonly ended: Promise<void>;
}

export class WatchedMachine {
  readonly #context: Context;
  readonly #options: WatchedMachineOptions;
  #running: Running | undefined;

  constructor(context: Context, options: WatchedMachineOptions) {
    this.#context = context;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Starts it on what was built last. Says what keeps it from starting. */
  async start(wanted: Wanted): Promise<void> {
    const content = this.#contentOf(wanted);
    if (this.#running?.content === content) return;
    await this.end();
    const ending = new AbortController();
    try {
      const machine = await this.#ready(wanted, ending.signal);
      if (machine === undefined) return;
      const running: Running = { content, ending, ended: this.#run(machine, ending.signal) };
      this.#running = running;
      void running.ended.then(() => {
        if (this.#running === running) this.#running = undefined;
      });
    } catch (error) {
      this.#tell(error);
    }
  }

  async end(): Promise<void> {
    this.#running?.ending.abort(new DOMException('a newer one is there', 'AbortError'));
    await this.#running?.ended;
  }

  async #ready(wanted: Wanted, signal: AbortSignal): Promise<ReadyMachine | undefined> {
    const renderer = openRenderer(this.#context);
    const { emit } = renderer;
    const project = this.#options.project.project(wanted, { emit, signal });
    return readyMachine(this.#context, { project, renderer }, this.#options.wish);
  }

  async #run(machine: ReadyMachine, signal: AbortSignal): Promise<void> {
    try {
      await runOnTerminal(this.#context, machine, signal);
      if (!signal.aborted) this.#options.teller.machineEnds();
    } catch (error) {
      this.#tell(error);
    } finally {
      await machine[Symbol.asyncDispose]();
    }
  }

  // What is wrong with starting one may be right with the next result.
  #tell(error: unknown): void {
    const known = asPersonsError(error);
    if (this.#context.signal.aborted && isAbort(error)) return;
    if (!(known instanceof UserError)) throw error;
    this.#options.teller.problem(known);
  }

  #contentOf({ outputs }: Wanted): string {
    const { records } = this.#options.project.store;
    return JSON.stringify(outputs.map(({ id }) => records.memo(id)?.outputs));
  }
}
