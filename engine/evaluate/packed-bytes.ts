// Many small byte strings in few large buffers. As objects of their own, a hundred thousand records take as much again for what
// each is and for what is left over between them. Pure.

const leastBytes = 2 ** 16;

/** A list of byte strings that grows at its end. */
export class PackedBytes {
  /** Each twice as large as the one before: the system gets large ones back as soon as they are freed. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  /** Of each string: which buffer it is in, and where it starts and ends there. */
  readonly #places: { readonly buffer: number[]; readonly start: number[]; readonly end: number[] } = {
    buffer: [],
    start: [],
    end: [],
  };

  push(bytes: Uint8Array): void {
    const { buffer, start, end } = this.#places;
    let from = end.at(-1) ?? 0;
    if (from + bytes.byteLength > (this.#buffers.at(-1)?.byteLength ?? -1)) {
      const twice = 2 * (this.#buffers.at(-1)?.byteLength ?? leastBytes / 2);
      this.#buffers.push(new Uint8Array(Math.max(twice, bytes.byteLength)));
      from = 0;
    }
    this.#buffers.at(-1)!.set(bytes, from);
    buffer.push(this.#buffers.length - 1);
    start.push(from);
    end.push(from + bytes.byteLength);
  }

  /** A view of the string that was the `at`-th to come, counted from 0. */
  at(at: number): Uint8Array {
    const { buffer, start, end } = this.#places;
    return this.#buffers[buffer[at]!]!.subarray(start[at], end[at]);
  }

  /** Gives the memory back soon, and not only when old objects are collected. Nothing that {@link at} gave is to be used any more. */
  free(): void {
    // What takes a buffer over is young, and gone with the next small collection.
    for (const { buffer } of this.#buffers.splice(0)) structuredClone(buffer, { transfer: [buffer] });
  }
}
