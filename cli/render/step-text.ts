// What steps write, on its way to a reader who may be slow: so much of it waits in memory, and what is beyond is left out and
// counted. All of it is in the step's log. Knows nothing of where it goes.

import type { Event, StepRef } from '../../engine/index.ts';

type StepOutput = Extract<Event, { type: 'step-output' }>;

/** A piece to be shown: the text, and how much of what came before it was left out. */
export interface StepText {
  readonly text: string;
  readonly omittedBytes?: number;
}

/** Characters of all steps together. */
const mostWaiting = 4 << 20;

export class WaitingText {
  readonly #most: number;
  #waiting = 0;
  readonly #omitted = new Map<string, number>();

  constructor(most = mostWaiting) {
    this.#most = most;
  }

  /** The pieces to show for this one. They count as waiting until they are asked for. */
  of<Shown>({ step, text }: StepOutput, show: (piece: StepText) => Shown): Iterable<Shown> {
    if (this.#waiting + text.length > this.#most) {
      this.#omitted.set(step.id, (this.#omitted.get(step.id) ?? 0) + Buffer.byteLength(text));
      return [];
    }
    this.#waiting += text.length;
    return this.#leaving(show({ ...this.#left(step), text }), text.length);
  }

  /** What is to be said before a step's end. */
  endOf<Shown>(step: StepRef, show: (piece: StepText) => Shown): Iterable<Shown> {
    const left = this.#left(step);
    return left.omittedBytes === undefined ? [] : [show({ ...left, text: '' })];
  }

  *#leaving<Shown>(shown: Shown, length: number): Generator<Shown> {
    this.#waiting -= length;
    yield shown;
  }

  #left({ id }: StepRef): { readonly omittedBytes?: number } {
    const omittedBytes = this.#omitted.get(id);
    this.#omitted.delete(id);
    return omittedBytes === undefined ? {} : { omittedBytes };
  }
}
