// What is sent to whoever asks for a name: so many bytes, of which any range can be had. Types, and the two simplest kinds.

import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { partBytes, type Part, type SharedReads } from './shared-reads.ts';

export interface ServedFile {
  readonly sizeBytes: number;
  /** Differs for different bytes. */
  readonly tag: string;
  /** The same bytes are under this name for ever, if any. */
  readonly isFixed: boolean;
  /** From one offset to before another. @throws when it cannot be read to its end, or is not what it should be */
  chunks(from: number, to: number): AsyncIterable<Uint8Array>;
}

export function fileOfBytes(bytes: Uint8Array, isFixed: boolean): ServedFile {
  return {
    sizeBytes: bytes.byteLength,
    tag: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
    isFixed,
    // eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, as what is not
    async *chunks(from, to) {
      yield bytes.subarray(from, to);
    },
  };
}

/** A file that is never changed, and whose path is never another's. */
export function fileAt(
  path: string,
  {
    sizeBytes,
    tag,
    reads,
  }: { readonly sizeBytes: number; readonly tag: string; readonly reads: SharedReads },
): ServedFile {
  return {
    sizeBytes,
    tag,
    isFixed: true,
    chunks: (from, to) => fileRange(path, { from, to, key: path, reads }),
  };
}

export interface FileRange {
  readonly from: number;
  readonly to: number;
  /** What tells this file, as it is now, from all others. */
  readonly key: string;
  readonly reads: SharedReads;
}

/** The bytes of a file from one offset to before another. It may be removed meanwhile. @throws when it is shorter */
export async function* fileRange(
  path: string,
  { from, to, key, reads }: FileRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (from >= to) return;
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let at = Math.floor(from / partBytes); at * partBytes < to; at++) {
      const start = at * partBytes;
      const length = Math.min(partBytes, size - start);
      const { bytes } = await reads.part(`${key} ${at}`, () => readPart(file, start, length));
      yield bytes.subarray(Math.max(0, from - start), to - start);
    }
  } finally {
    await file.close();
  }
}

async function readPart(file: FileHandle, start: number, length: number): Promise<Part> {
  if (length <= 0) throw new Error('the file is shorter than it was');
  const bytes = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(bytes, 0, length, start);
  if (bytesRead !== length) throw new Error('the file is shorter than it was');
  return { bytes, content: [bytes] };
}
