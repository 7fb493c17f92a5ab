// --promote: clean builds of what was made incrementally, behind the watch. One at a time; whoever builds ends it first.

import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import { failureLines } from '../render/failures.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { showCheckResult } from '../reports/check-result.ts';
import { asPersonsError } from '../reports/persons-error.ts';
import type { Teller } from './tell.ts';
import { isAbort, type Wanted, type WatchedProject } from './watched-project.ts';

export interface WatchedProofOptions {
  readonly project: WatchedProject;
  readonly teller: Teller;
  /** Builds again what was forgotten, since a clean build gives something else. True when that came to its end. */
  readonly rebuild: (wanted: Wanted, signal: AbortSignal) => Promise<boolean>;
}

/** `ended`: nothing is known, for something newer was to be built. `replaced`: another result is there. */
export type Proof = 'proven' | 'replaced' | 'failed' | 'ended';

interface Running {
  readonly ending: AbortController;
  readonly ended: Promise<Proof>;
}

export class WatchedProof {
  readonly #context: Context;
  readonly #options: WatchedProofOptions;
  #running: Running | undefined;

  constructor(context: Context, options: WatchedProofOptions) {
    this.#context = context;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Proves what was built last, and says what came of it. */
  async of(wanted: Wanted): Promise<Proof> {
    await this.end();
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, this.#context.signal]);
    const running: Running = { ending, ended: this.#prove(wanted, signal) };
    this.#running = running;
    const proof = await running.ended;
    if (this.#running === running) this.#running = undefined;
    return proof;
  }

  async end(): Promise<void> {
    this.#running?.ending.abort(new DOMException('something newer is to be built', 'AbortError'));
    await this.#running?.ended;
  }

  async #prove(wanted: Wanted, signal: AbortSignal): Promise<Proof> {
    const { project, teller, rebuild } = this.#options;
    const renderer = openRenderer(this.#context);
    try {
      const { build, store } = project.project(wanted, { emit: renderer.emit, signal });
      const results = await build.promote(wanted.outputs.map(({ id }) => id));
      const view = await renderer.close();
      if (signal.aborted) return 'ended';
      const { err, shared } = this.#context;
      if (view !== undefined && shared.json !== true) err.lines(failureLines(view, err.style));
      for (const result of results) await showCheckResult(this.#context, result, { store, promote: true });
      if (results.some(({ kind }) => kind === 'failed')) return 'failed';
      if (results.every(({ kind }) => kind === 'identical')) return 'proven';
      return (await rebuild(wanted, signal)) ? 'replaced' : 'failed';
    } catch (error) {
      await renderer.close();
      if (signal.aborted && isAbort(error)) return 'ended';
      const known = asPersonsError(error);
      if (!(known instanceof UserError)) throw error;
      teller.problem(known);
      return 'failed';
    }
  }
}
