// Patience with the other side of a connection: a signal that is aborted when what is expected does not come in time.

import { setMaxListeners } from 'node:events';

export class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason);
  #timer: NodeJS.Timeout | undefined;
  #expired: string | undefined;

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#onAbort();
    // Every request under way listens: many are no leak.
    setMaxListeners(0, outer);
    outer.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has to happen within so many milliseconds from now. */
  expectWithin(ms: number, otherwise: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#expired = `${otherwise} for ${ms / 1000} s`;
      this.#controller.abort(new Error(this.#expired));
    }, ms);
  }

  /** Nothing is expected for now. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  /** @throws why it was ended, if it was */
  throwIfOver(): void {
    this.#outer.throwIfAborted();
    if (this.#expired !== undefined) throw new Error(this.#expired);
  }

  /** Nothing is wanted any more; what is still under way is broken off. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
    this.#controller.abort();
  }
}
