// A clock that stands still while anything is being done, and then goes on to what is waited for next. Knows nothing of steps.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../../engine/schedule/clock.ts';
import { PriorityQueue } from '../../../engine/schedule/priority-queue.ts';

interface Awaited {
  readonly act: () => void;
  isCancelled: boolean;
}

export class VirtualTime implements Clock {
  readonly #waiting = new PriorityQueue<Awaited>();
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  /** Resolves at a time that is not over. */
  until(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms - this.#nowMs, resolve));
  }

  after(ms: number, act: () => void): () => void {
    const awaited: Awaited = { act, isCancelled: false };
    // The most urgent is served first: the earliest.
    this.#waiting.push(awaited, -(this.#nowMs + ms));
    return () => void (awaited.isCancelled = true);
  }

  /** Lets time go by until nobody waits for it. What was asked for is done, or never will be. */
  async run(): Promise<void> {
    for (;;) {
      // All that promises lead to is done in this turn of the event loop.
      await nextTurn();
      while (this.#waiting.peek()?.value.isCancelled === true) this.#waiting.pop();
      const next = this.#waiting.peek();
      if (next === undefined) return;
      this.#nowMs = -next.priority;
      while (this.#waiting.peek()?.priority === next.priority) {
        const { act, isCancelled } = this.#waiting.pop()!;
        if (!isCancelled) act();
      }
    }
  }
}
