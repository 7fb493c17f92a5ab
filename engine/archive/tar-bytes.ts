// The bytes of a tar archive in order: whole blocks, and the data of entries with its padding. Knows no headers.

import { malformed } from './bad-archive.ts';

export const blockBytes = 512;
/** Of a header's own data, such as a long name. */
const mostReadBytes = 4 * 2 ** 20;

export class TarBytes {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  /** Where the archive is, for messages: follows `damaged or cut short`. */
  where = '';

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next block; less of one, or nothing, at the end. */
  block(): Promise<Buffer> {
    return this.#take(blockBytes);
  }

  /** What `block` gives next. */
  async nextBlock(): Promise<Buffer> {
    const block = await this.#take(blockBytes);
    this.#chunk = Buffer.concat([block, this.#chunk]);
    return block;
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#chunk.length > 0 || (await this.#next())) {
      yield this.#chunk;
      this.#chunk = Buffer.alloc(0);
    }
  }

  /** Data of `sizeBytes`, whole, without the padding behind it. */
  async read(sizeBytes: number): Promise<Buffer> {
    if (sizeBytes > mostReadBytes)
      malformed(
        `it has a header of ${sizeBytes} bytes${this.where}, and cairn reads at most ${mostReadBytes}`,
      );
    const data = await this.#take(sizeBytes);
    if (data.length < sizeBytes) this.damaged();
    await this.skip(-sizeBytes & (blockBytes - 1));
    return data;
  }

  /** Bytes as they come: `sizeBytes` of them, or what is left. To be read to its end before anything else is. */
  async *stream(sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = sizeBytes; left > 0;) {
      if (this.#chunk.length === 0 && !(await this.#next())) return;
      const piece = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async skip(sizeBytes: number): Promise<void> {
    const pieces = this.stream(sizeBytes);
    while ((await pieces.next()).done !== true);
  }

  /** Has the source of the bytes end, wherever it is. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  damaged(): never {
    malformed(`its tar data is damaged or cut short${this.where}`);
  }

  // Fewer than asked for only at the end.
  async #take(sizeBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let left = sizeBytes;
    while (left > 0 && (this.#chunk.length > 0 || (await this.#next()))) {
      const part = this.#chunk.subarray(0, left);
      this.#chunk = this.#chunk.subarray(part.length);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async #next(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#chunk = next.value;
    return true;
  }
}
