// Bytes as caches hold them: pieces of a bounded size, each a zstd frame behind a skippable frame that says how long it is. Any
// zstd reads the whole; this reads it piece by piece, in bounded memory, whoever wrote it.

import { exactBytes } from '../base/exact-bytes.ts';
import { compressFrame, decompressFrame } from './zstd.ts';

export const pieceBytes = 1024 * 1024;
/** What zstd makes of a piece that it cannot make smaller, and room to spare. */
const largestFrame = pieceBytes + 64 * 1024;
const skippableMagic = 0x184d2a50;
const headerBytes = 12;
/** Pieces of one stream that are worked on at once, and held in memory. */
const piecesAtOnce = 4;

/** The pieces of `content`. */
export function encodePieces(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  return ahead(regrouped(content), async (piece) => {
    const frame = await compressFrame(piece);
    return Buffer.concat([pieceHeader(frame.byteLength), frame]);
  });
}

/** What stands before a frame of this length. */
export function pieceHeader(frameBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(skippableMagic, 0);
  header.writeUInt32LE(4, 4);
  header.writeUInt32LE(frameBytes, 8);
  return header;
}

/** The content of what {@link encodePieces} gave. @throws Error for anything else, and where it is cut short */
export function decodePieces(
  encoded: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  return ahead(frames(encoded), (frame) => decompressFrame(frame, pieceBytes));
}

async function* frames(encoded: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(encoded);
  for (;;) {
    const length = await nextFrame(reader);
    if (length === undefined) return;
    const frame = await reader.take(length);
    if (frame === undefined) throw new Error('it is cut short');
    yield frame;
  }
}

/** How long the frame of the next piece is, which comes now; undefined at the end. @throws Error for anything else */
export async function nextFrame(reader: ByteReader): Promise<number | undefined> {
  const header = await reader.take(headerBytes);
  if (header === undefined) return undefined;
  const length = header.readUInt32LE(8);
  const isHeader = header.readUInt32LE(0) === skippableMagic && header.readUInt32LE(4) === 4;
  if (!isHeader || length > largestFrame) throw new Error('it is not in pieces that cairn knows');
  return length;
}

// What becomes of each, in their order, while those behind it are worked on.
async function* ahead<From, To>(
  items: AsyncIterable<From>,
  work: (item: From) => Promise<To>,
): AsyncGenerator<To, void, undefined> {
  const underWay: Promise<To>[] = [];
  try {
    for await (const item of items) {
      const working = work(item);
      working.catch(() => undefined); // its turn comes, or the reader has gone
      underWay.push(working);
      if (underWay.length >= piecesAtOnce) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** All of it at once. */
export async function joined(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  mostBytes = Number.MAX_SAFE_INTEGER,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > mostBytes)
      throw new Error(`it has more than the ${exactBytes(mostBytes)} that it may have`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

async function* regrouped(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + pieceBytes - sizeBytes);
      at += part.byteLength;
      sizeBytes += part.byteLength;
      parts.push(part);
      if (sizeBytes < pieceBytes) continue;
      yield Buffer.concat(parts);
      [parts, sizeBytes] = [[], 0];
    }
  }
  if (sizeBytes > 0) yield Buffer.concat(parts);
}

/** Takes so many bytes at a time from a stream. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** So many bytes; undefined at the end. @throws Error when there are some, but fewer */
  async take(length: number): Promise<Buffer | undefined> {
    const parts = [this.#rest];
    let sizeBytes = this.#rest.byteLength;
    while (sizeBytes < length) {
      const next = await this.#chunks.next();
      if (next.done === true) {
        if (sizeBytes > 0) throw new Error('it is cut short');
        return undefined;
      }
      parts.push(Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength));
      sizeBytes += next.value.byteLength;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.#rest = all.subarray(length);
    return all.subarray(0, length);
  }

  /** The same as they come, where it does not matter how many come at a time. @throws Error when there are fewer */
  async *pass(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = length; left > 0;) {
      if (this.#rest.byteLength === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) throw new Error('it is cut short');
        this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      }
      const some = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(some.byteLength);
      left -= some.byteLength;
      yield some;
    }
  }
}
