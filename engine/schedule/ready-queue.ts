// Steps that may start, the one with the longest way behind it first (a binary heap).

import type { DerivationId } from '../model/encode.ts';

interface Item {
  readonly id: DerivationId;
  readonly priority: number;
  readonly order: number;
}

/** A priority queue; among equals, first come, first served. */
export class ReadyQueue {
  readonly #heap: Item[] = [];
  #pushed = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(id: DerivationId, priority: number): void {
    this.#heap.push({ id, priority, order: this.#pushed++ });
    this.#rise(this.#heap.length - 1);
  }

  /** The step to start next, taken out, or undefined. */
  pop(): DerivationId | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return top.id;
  }

  #rise(at: number): void {
    for (
      let parent = (at - 1) >> 1;
      at > 0 && this.#isBefore(at, parent);
      at = parent, parent = (at - 1) >> 1
    )
      this.#swap(at, parent);
  }

  #sink(at: number): void {
    for (;;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.#heap.length && this.#isBefore(child, first)) first = child;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.priority !== y.priority ? x.priority > y.priority : x.order < y.order;
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
