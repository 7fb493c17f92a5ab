// A blob's file in the form in which shelves hold it (`caches/pieces.ts`), made while it is sent: each piece is a zstd frame whose
// blocks are not compressed (RFC 8878 §3.1.1.2). So its size and every offset are known before anything is read, and a transfer
// that broke off goes on anywhere. Knows no store.

import { open, type FileHandle } from 'node:fs/promises';
import { pieceBytes, pieceHeader } from '../caches/pieces.ts';

const blockBytes = 128 * 1024;
const blockHeaderBytes = 3;
const frameHeaderBytes = 9;
const headerBytes = 12;

/** How many bytes a file of this size becomes. */
export function plainSize(sizeBytes: number): number {
  const whole = Math.floor(sizeBytes / pieceBytes);
  const rest = sizeBytes % pieceBytes;
  return whole * encodedSize(pieceBytes) + (rest === 0 ? 0 : encodedSize(rest));
}

export interface PlainRange {
  /** Of the file. */
  readonly sizeBytes: number;
  /** Offsets in what it becomes. */
  readonly from: number;
  readonly to: number;
  /** Told each piece of the file, in order, before it is given; what it throws ends the reading. */
  readonly onContent?: (content: readonly Uint8Array[], isLast: boolean) => void;
}

/** A range of what the file becomes. @throws when the file is shorter than it should be */
export async function* plainPieces(
  path: string,
  { sizeBytes, from, to, onContent }: PlainRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stride = encodedSize(pieceBytes);
  const file = await open(path);
  try {
    for (let at = Math.floor(from / stride); at * stride < to; at++) {
      const length = Math.min(pieceBytes, sizeBytes - at * pieceBytes);
      const { encoded, content } = await readPiece(file, at * pieceBytes, length);
      onContent?.(content, at * pieceBytes + length === sizeBytes);
      yield encoded.subarray(Math.max(0, from - at * stride), Math.min(encoded.byteLength, to - at * stride));
    }
  } finally {
    await file.close();
  }
}

function encodedSize(length: number): number {
  return headerBytes + frameSize(length);
}

function frameSize(length: number): number {
  return frameHeaderBytes + Math.ceil(length / blockBytes) * blockHeaderBytes + length;
}

// The file's bytes are read to where they belong, between the headers of their blocks.
async function readPiece(
  file: FileHandle,
  offset: number,
  length: number,
): Promise<{ readonly encoded: Buffer; readonly content: readonly Buffer[] }> {
  const encoded = Buffer.allocUnsafeSlow(encodedSize(length));
  pieceHeader(frameSize(length)).copy(encoded);
  encoded.writeUInt32LE(0xfd2fb528, headerBytes);
  encoded[headerBytes + 4] = 0b1010_0000; // one segment, and its size in four bytes
  encoded.writeUInt32LE(length, headerBytes + 5);
  const content: Buffer[] = [];
  let at = headerBytes + frameHeaderBytes;
  for (let done = 0; done < length; done += blockBytes) {
    const size = Math.min(blockBytes, length - done);
    const isLast = done + size === length ? 1 : 0;
    encoded.writeUIntLE((size << 3) | isLast, at, blockHeaderBytes);
    at += blockHeaderBytes;
    content.push(encoded.subarray(at, at + size));
    at += size;
  }
  const { bytesRead } = await file.readv(content, offset);
  if (bytesRead !== length) throw new Error('the file is shorter than it was');
  return { encoded, content };
}
