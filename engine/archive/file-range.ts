// A stretch of an open file, read synchronously: unpacking has a thread of its own, and nothing is faster.

import { readSync } from 'node:fs';
import { bug } from '../../store/base/errors.ts';

export class FileRange {
  readonly #file: number;
  readonly #start: number;
  readonly sizeBytes: number;

  /** `file` is a descriptor that stays open as long as the range is used. */
  constructor(file: number, start: number, sizeBytes: number) {
    this.#file = file;
    this.#start = start;
    this.sizeBytes = sizeBytes;
  }

  /** A part of this range. */
  slice(start: number, sizeBytes: number): FileRange {
    if (start < 0 || sizeBytes < 0 || start + sizeBytes > this.sizeBytes) bug('a slice outside its file');
    return new FileRange(this.#file, this.#start + start, sizeBytes);
  }

  /** Up to `length` bytes from `offset`; fewer only where the range ends. */
  read(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const count = readSync(this.#file, buffer, {
        offset: filled,
        position: this.#start + offset + filled,
      });
      if (count === 0) bug('an archive shrank while it was read');
      filled += count;
    }
    return buffer;
  }

  /** All of it, in pieces of `pieceBytes`. */
  *pieces(pieceBytes: number): Generator<Buffer, void, undefined> {
    for (let at = 0; at < this.sizeBytes; at += pieceBytes) yield this.read(at, pieceBytes);
  }
}
