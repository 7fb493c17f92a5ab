// The content of a zstd stream as it comes, whoever wrote it (RFC 8878): frame by frame and block by block, so that no more of it is
// made than was asked for, and no more memory taken than a window of what everybody must understand. Checksums are left to whoever
// compares the content with its digest.

import { Decompress } from 'fzstd';
import { exactBytes } from '../base/exact-bytes.ts';
import { ByteReader } from './pieces.ts';

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** What RFC 8878 §3.1.1.1.2 asks of every decoder, and what compressors keep to unless they are told otherwise. */
export const largestWindowBytes = 8 * 1024 * 1024;
const largestBlockBytes = 128 * 1024;
const rleBlock = 1;
const reservedBlock = 3;

/** @throws Error for what is no zstd, is cut short, or holds more than so many bytes */
export async function* zstdContent(
  compressed: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(compressed);
  let sizeBytes = 0;
  for (let magic = await reader.take(4); magic !== undefined; magic = await reader.take(4)) {
    if (magic.readUInt32LE() === frameMagic) {
      for await (const content of frameContent(magic, reader)) {
        sizeBytes += content.byteLength;
        if (sizeBytes > mostBytes) throw new Error(`its zstd data holds more than ${exactBytes(mostBytes)}`);
        yield content;
      }
    } else if ((magic.readUInt32LE() & 0xfffffff0) >>> 0 === skippableMagic) await skip(reader);
    else throw new Error('it is no zstd data');
  }
}

async function* frameContent(magic: Buffer, reader: ByteReader): AsyncGenerator<Uint8Array, void, undefined> {
  const descriptor = await needed(reader, 1);
  const rest = await needed(reader, headerLength(descriptor[0]!));
  const windowBytes = windowOf(descriptor[0]!, rest);
  if (windowBytes > largestWindowBytes) throw new Error('its zstd data needs more memory than it is given');
  const made: Uint8Array[] = [];
  const decoder = new Decompress((content) => {
    // It is a view of what the decoder goes on to use.
    if (content.byteLength > 0) made.push(Uint8Array.from(content));
  });
  const push = (bytes: Uint8Array, isLast: boolean): void => {
    try {
      // Bytes of their own: the decoder keeps some.
      decoder.push(Uint8Array.from(bytes), isLast);
    } catch (cause) {
      throw new Error('its zstd data is damaged', { cause });
    }
  };
  push(Buffer.concat([magic, descriptor, rest]), false);
  for (let isLast = false; !isLast;) {
    const header = await needed(reader, 3);
    const block = header.readUIntLE(0, 3);
    const [type, length] = [(block >> 1) & 3, block >> 3];
    if (type === reservedBlock || length > largestBlockBytes) throw new Error('its zstd data is damaged');
    isLast = (block & 1) === 1;
    const size = type === rleBlock ? 1 : length;
    push(Buffer.concat([header, size === 0 ? Buffer.alloc(0) : await needed(reader, size)]), false);
    yield* made.splice(0);
  }
  const checksum = (descriptor[0]! & 4) === 0 ? Buffer.alloc(0) : await needed(reader, 4);
  push(checksum, true);
  yield* made.splice(0);
}

// Window, dictionary id, content size.
function headerLength(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const length = (isSingleSegment ? 0 : 1) + contentSizeBytes;
  if ((descriptor & 3) !== 0) throw new Error('its zstd data needs a dictionary');
  if (length === 0) throw new Error('its zstd data is damaged');
  return length;
}

// Of a frame in one segment, all of its content.
function windowOf(descriptor: number, rest: Buffer): number {
  if ((descriptor & 0x20) === 0) {
    const base = 2 ** (10 + (rest[0]! >> 3));
    return base + (base / 8) * (rest[0]! & 7);
  }
  if (rest.length === 8) return Number(rest.readBigUInt64LE());
  return rest.readUIntLE(0, rest.length) + (rest.length === 2 ? 256 : 0);
}

async function skip(reader: ByteReader): Promise<void> {
  let left = (await needed(reader, 4)).readUInt32LE();
  for (; left > 0; left -= Math.min(left, largestBlockBytes))
    await needed(reader, Math.min(left, largestBlockBytes));
}

async function needed(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await reader.take(length);
  if (bytes === undefined) throw new Error('its zstd data is cut short');
  return bytes;
}
