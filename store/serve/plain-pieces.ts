// A blob's file in the form in which shelves hold it (`caches/pieces.ts`), made while it is sent: each piece is a zstd frame whose
// blocks are not compressed (RFC 8878 §3.1.1.2). So its size and every offset are known before anything is read, and a transfer
// that broke off goes on anywhere. Knows no store.

import { open, type FileHandle } from 'node:fs/promises';
import { pieceBytes, pieceHeader } from '../caches/pieces.ts';
import { partBytes, type Part, type SharedReads } from './shared-reads.ts';

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
  /** What tells this file, as it is now, from all others. */
  readonly key: string;
  readonly reads: SharedReads;
  /** Told each part of the file, in order, before it is given; what it throws ends the reading. */
  readonly onContent?: (content: readonly Uint8Array[], isLast: boolean) => void;
}

/** A range of what the file becomes. @throws when the file is shorter than it should be */
export async function* plainPieces(
  path: string,
  { sizeBytes, from, to, key, reads, onContent }: PlainRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  try {
    for (let at = Math.floor(firstPart(from)); ; at++) {
      const part = partAt(at, sizeBytes);
      if (part.start >= to || part.length <= 0) return;
      const { bytes, content } = await reads.part(`plain ${key} ${at}`, () => readPart(file, part));
      onContent?.(content, part.isLast);
      if (part.start + bytes.byteLength > from)
        yield bytes.subarray(Math.max(0, from - part.start), Math.min(bytes.byteLength, to - part.start));
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

const partsOfPiece = pieceBytes / partBytes;

/** The number of the part that an offset lies in, or of one before it. */
function firstPart(offset: number): number {
  const stride = encodedSize(pieceBytes);
  const piece = Math.floor(offset / stride);
  return piece * partsOfPiece + Math.max(0, Math.floor((offset - piece * stride) / frameSize(partBytes)) - 1);
}

interface PartPlace {
  /** Where it begins in what the file becomes. */
  readonly start: number;
  /** Where in the file, and how much of it. */
  readonly offset: number;
  readonly length: number;
  /** How long the content of its piece is, if it is the first of that. */
  readonly opens: number | undefined;
  /** It ends its piece, or the file. */
  readonly closes: boolean;
  readonly isLast: boolean;
}

function partAt(number: number, sizeBytes: number): PartPlace {
  const [piece, inPiece] = [Math.floor(number / partsOfPiece), number % partsOfPiece];
  const before = inPiece * partBytes;
  const offset = piece * pieceBytes + before;
  const length = Math.min(partBytes, sizeBytes - offset);
  const pieceLength = Math.min(pieceBytes, sizeBytes - piece * pieceBytes);
  return {
    start: piece * encodedSize(pieceBytes) + (inPiece === 0 ? 0 : encodedSize(before)),
    offset,
    length,
    opens: inPiece === 0 ? pieceLength : undefined,
    closes: before + length === pieceLength,
    isLast: offset + length === sizeBytes,
  };
}

// The file's bytes are read to where they belong, between the headers of their blocks.
async function readPart(file: FileHandle, { offset, length, opens, closes }: PartPlace): Promise<Part> {
  const blocks = Math.ceil(length / blockBytes);
  const head = opens === undefined ? 0 : headerBytes + frameHeaderBytes;
  const bytes = Buffer.allocUnsafeSlow(head + blocks * blockHeaderBytes + length);
  if (opens !== undefined) {
    pieceHeader(frameSize(opens)).copy(bytes);
    bytes.writeUInt32LE(0xfd2fb528, headerBytes);
    bytes[headerBytes + 4] = 0b1010_0000; // one segment, and its size in four bytes
    bytes.writeUInt32LE(opens, headerBytes + 5);
  }
  const content: Buffer[] = [];
  let at = head;
  for (let done = 0; done < length; done += blockBytes) {
    const size = Math.min(blockBytes, length - done);
    const isLast = closes && done + size === length ? 1 : 0;
    bytes.writeUIntLE((size << 3) | isLast, at, blockHeaderBytes);
    at += blockHeaderBytes;
    content.push(bytes.subarray(at, at + size));
    at += size;
  }
  const { bytesRead } = await file.readv(content, offset);
  if (bytesRead !== length) throw new Error('the file is shorter than it was');
  return { bytes, content };
}
