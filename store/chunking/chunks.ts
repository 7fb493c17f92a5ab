// A stream as chunks: where it is cut, and the bytes of each. Knows no store and no protocol.

import { ChunkCutter, type ChunkSizes } from './chunk-cutter.ts';

/** How blobs are cut. */
export interface Chunking {
  readonly sizes: ChunkSizes;
  readonly seed: number;
}

/** The chunks of a stream, each with bytes of its own. */
export async function* chunksIn(
  bytes: AsyncIterable<Uint8Array>,
  { sizes, seed }: Chunking,
): AsyncGenerator<Uint8Array, void, undefined> {
  const cutter = new ChunkCutter(sizes, seed);
  const held = new HeldBytes();
  for await (const piece of bytes) {
    held.add(piece);
    for (const length of cutter.push(piece)) yield held.take(length);
  }
  const last = cutter.end();
  if (last !== undefined) yield held.take(last);
}

// Pieces of a stream that no chunk has taken yet.
class HeldBytes {
  #pieces: Uint8Array[] = [];

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  /** The first of them, as bytes of their own. */
  take(length: number): Uint8Array {
    const taken = Buffer.allocUnsafeSlow(length);
    let [at, done] = [0, 0];
    for (let filled = 0; filled < length;) {
      const piece = this.#pieces[at]!.subarray(done, done + length - filled);
      taken.set(piece, filled);
      filled += piece.byteLength;
      done += piece.byteLength;
      if (done < this.#pieces[at]!.byteLength) break;
      [at, done] = [at + 1, 0];
    }
    const rest = this.#pieces.slice(at);
    if (done > 0) rest[0] = rest[0]!.subarray(done);
    this.#pieces = rest;
    return taken;
  }
}
