// What is sent to whoever asks for a name: so many bytes, of which any range can be had. Types, and the two simplest kinds.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export interface ServedFile {
  readonly sizeBytes: number;
  /** Differs for different bytes. */
  readonly tag: string;
  /** The same bytes are under this name for ever, if any. */
  readonly isFixed: boolean;
  /** From one offset to before another. @throws when it cannot be read to its end, or is not what it should be */
  chunks(from: number, to: number): AsyncIterable<Uint8Array>;
}

export const readBytes = 256 * 1024;

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

export function fileAt(path: string, sizeBytes: number, tag: string): ServedFile {
  return {
    sizeBytes,
    tag,
    isFixed: true,
    async *chunks(from, to) {
      if (from === to) return;
      const stream = createReadStream(path, { start: from, end: to - 1, highWaterMark: readBytes });
      yield* stream as AsyncIterable<Uint8Array>;
    },
  };
}
