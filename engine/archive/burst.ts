// What a synchronous decoder gives in one call, kept until it is asked for. Bounds what a bomb can make of one call.

import { tooLarge } from './bad-archive.ts';

/** Far more than honest data becomes from one piece of input. */
const mostBytes = 256 * 2 ** 20;

export class Burst {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Called by the decoder; what it throws ends the decoding. */
  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > mostBytes) tooLarge('its compressed data grows out of all proportion');
  }

  take(): Buffer[] {
    const chunks = this.#chunks.map((chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }
}
