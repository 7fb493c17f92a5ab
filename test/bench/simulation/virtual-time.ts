// A clock that stands still while anything is being done, and then goes on to what is waited for next. Knows nothing of steps.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { PriorityQueue } from '../../../engine/schedule/priority-queue.ts';

export class VirtualTime {
  readonly #waiting = new PriorityQueue<() => void>();
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Resolves at a time that is not over. */
  until(ms: number): Promise<void> {
    // The most urgent is served first: the earliest.
    return new Promise((resolve) => this.#waiting.push(resolve, -ms));
  }

  /** Lets time go by until nobody waits for it. What was asked for is done, or never will be. */
  async run(): Promise<void> {
    for (;;) {
      // All that promises lead to is done in this turn of the event loop.
      await nextTurn();
      const next = this.#waiting.peek();
      if (next === undefined) return;
      this.#nowMs = -next.priority;
      while (this.#waiting.peek()?.priority === next.priority) this.#waiting.pop()!();
    }
  }
}
