// Whoever waits, the one with the longest way behind it first (a binary heap).

interface Item<T> {
  readonly value: T;
  readonly priority: number;
  readonly order: number;
}

/** A priority queue; among equals, first come, first served. */
export class PriorityQueue<T> {
  readonly #heap: Item<T>[] = [];
  #pushed = 0;

  push(value: T, priority: number): void {
    this.#heap.push({ value, priority, order: this.#pushed++ });
    this.#rise(this.#heap.length - 1);
  }

  /** Who is next, left where it is, or undefined. */
  peek(): { readonly value: T; readonly priority: number } | undefined {
    return this.#heap[0];
  }

  /** Who is next, taken out, or undefined. */
  pop(): T | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return top.value;
  }

  /** All who are at least as urgent, in any order, left where they are. */
  notAfter(priority: number): T[] {
    const found: T[] = [];
    const open = [0];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const item = this.#heap[at];
      if (item === undefined || item.priority < priority) continue;
      found.push(item.value);
      open.push(2 * at + 1, 2 * at + 2);
    }
    return found;
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
