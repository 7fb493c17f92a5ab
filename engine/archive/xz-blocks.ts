// The independent blocks of an .xz file, found by its index, each made a stream of its own so that several can be decoded
// at once, and what lies between streams. Format: tukaani.org/xz/xz-file-format.txt, sections 2 (stream), 3 (block), 4
// (index). Decodes nothing.

import { crc32 } from 'node:zlib';
import { malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';

export interface XzBlock {
  /** What it decodes to, by the index. */
  readonly plainBytes: number;
  /** A stream with this block alone. The decoder finds out whether what the index says of it is true. */
  stream(pieceBytes: number): Iterable<Buffer>;
}

/** Length of a stream's header, and of its footer. */
const endBytes = 12;
/** Some 100,000 blocks. */
const largestIndexBytes = 2 ** 20;
const tailBytes = 64 * 1024;

/** The blocks in order; undefined when the file is not exactly one sound stream, which is then for the decoder to judge. */
export function xzBlocks(file: FileRange): readonly XzBlock[] | undefined {
  const stream = streamBefore(file, file.sizeBytes);
  if (stream?.at !== 0 || stream.records.length === 0) return undefined;
  const header = file.read(0, endBytes);
  let at = endBytes;
  return stream.records.map((record) => {
    const [start, storedBytes] = [at, padded(record.unpaddedBytes)];
    at += storedBytes;
    const end = streamEnd(record, stream.flags);
    return {
      plainBytes: record.plainBytes,
      *stream(pieceBytes) {
        yield header;
        yield* file.slice(start, storedBytes).pieces(pieceBytes);
        yield end;
      },
    };
  });
}

/**
 * Zeros between streams and behind the last are a multiple of four bytes (section 2.2), or xz(1) takes the file for
 * damaged; the decoder skips any number. Streams that are damaged themselves are left to it.
 */
export function checkXzPadding(file: FileRange): void {
  for (let end = file.sizeBytes; end > 0;) {
    const dataEnd = endWithoutZeros(file, end);
    const stream = streamBefore(file, dataEnd);
    if (stream === undefined) return;
    const zeros = end - dataEnd;
    if (zeros % 4 !== 0)
      malformed(
        `${zeros} ${zeros === 1 ? 'zero follows' : 'zeros follow'} its xz data, and padding has a multiple of four bytes`,
      );
    end = stream.at;
  }
}

interface XzStream {
  readonly at: number;
  readonly records: readonly IndexRecord[];
  readonly flags: Buffer;
}

// The sound stream that ends at a byte, found by its footer and its index.
function streamBefore(file: FileRange, end: number): XzStream | undefined {
  const footer = file.read(Math.max(0, end - endBytes), Math.min(endBytes, end));
  if (footer.length < endBytes || footer.toString('latin1', 10) !== 'YZ') return undefined;
  const indexBytes = (footer.readUInt32LE(4) + 1) * 4;
  const indexAt = end - endBytes - indexBytes;
  if (indexBytes > largestIndexBytes || indexAt < endBytes) return undefined;
  const records = readIndex(file.read(indexAt, indexBytes));
  if (records === undefined) return undefined;
  const blockBytes = records.reduce((sum, record) => sum + padded(record.unpaddedBytes), 0);
  const at = indexAt - blockBytes - endBytes;
  return at < 0 ? undefined : { at, records, flags: footer.subarray(8, 10) };
}

function endWithoutZeros(file: FileRange, from: number): number {
  for (let end = from; end > 0;) {
    const start = Math.max(0, end - tailBytes);
    const bytes = file.read(start, end - start);
    let length = bytes.length;
    while (length > 0 && bytes[length - 1] === 0) length -= 1;
    if (length > 0) return start + length;
    end = start;
  }
  return 0;
}

/** Whether, not far from the end of a file, a stream ends that something else follows. */
export function hasXzEndBefore(file: FileRange): boolean {
  const tail = file.read(Math.max(0, file.sizeBytes - tailBytes), tailBytes);
  for (let at = tail.lastIndexOf('YZ'); at >= 10; at = tail.lastIndexOf('YZ', at - 1)) {
    const isFooter = crc32(tail.subarray(at - 6, at)) === tail.readUInt32LE(at - 10);
    if (isFooter) return at + 2 < tail.length;
  }
  return false;
}

interface IndexRecord {
  /** The block with its header and check, without the padding to four bytes. */
  readonly unpaddedBytes: number;
  readonly plainBytes: number;
}

// An indicator of 0, the number of records, the records, padding, CRC32.
function readIndex(index: Buffer): readonly IndexRecord[] | undefined {
  const content = index.subarray(0, -4);
  if (index[0] !== 0 || crc32(content) !== index.readUInt32LE(content.length)) return undefined;
  const numbers = [...readNumbers(content.subarray(1))];
  const records: IndexRecord[] = [];
  for (let at = 1; at <= (numbers[0] ?? 0) * 2; at += 2) {
    const [unpaddedBytes, plainBytes] = [numbers[at], numbers[at + 1]];
    if (unpaddedBytes === undefined || plainBytes === undefined) return undefined;
    records.push({ unpaddedBytes, plainBytes });
  }
  return records;
}

// Variable-length integers, seven bits a byte, least significant first (section 1.2).
function* readNumbers(bytes: Buffer): Generator<number> {
  let [value, scale] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    yield value;
    [value, scale] = [0, 1];
  }
}

function numberBytes(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 128) | 0x80, ...numberBytes(Math.floor(value / 128))];
}

// The index of one record, and the footer that points back at it.
function streamEnd({ unpaddedBytes, plainBytes }: IndexRecord, flags: Buffer): Buffer {
  const content = Buffer.from([0, 1, ...numberBytes(unpaddedBytes), ...numberBytes(plainBytes)]);
  const index = Buffer.concat([content, Buffer.alloc(padded(content.length) - content.length)]);
  const back = Buffer.concat([uint32(index.length / 4), flags]);
  return Buffer.concat([index, uint32(crc32(index)), uint32(crc32(back)), back, Buffer.from('YZ')]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
