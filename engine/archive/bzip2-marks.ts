// Where the blocks of a bzip2 file begin, and its streams end: 48 bits mark both, at any bit. Such bits may come about in
// a block by chance, too, once in some hundred terabytes; whoever decodes finds out. Decodes nothing.

import type { FileRange } from './file-range.ts';

export interface Mark {
  readonly kind: 'block' | 'end';
  /** Where it begins, in bits from the file's start. */
  readonly bit: number;
  /** How large blocks of the stream are, in 100,000 bytes. */
  readonly level: number;
}

export const markBits = 48;
/** Of a block when it follows a block's mark, of the stream when it follows the end's. */
export const checksumBits = 32;

export const endMark = Buffer.from('177245385090', 'hex');
const kinds = [
  ['block', Buffer.from('314159265359', 'hex')],
  ['end', endMark],
] as const;

/** A mark that begins at a bit of a byte: the byte and the six behind it, those bits of them that belong to it. */
interface Shifted {
  readonly kind: Mark['kind'];
  readonly shift: number;
  readonly bytes: Buffer;
  readonly mask: Buffer;
}

const shifted: readonly Shifted[] = kinds.flatMap(([kind, pattern]) =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((shift) => ({
    kind,
    shift,
    bytes: shiftedRight(pattern, shift),
    mask: shiftedRight(Buffer.alloc(6, 0xff), shift),
  })),
);

/** Of a mark's five whole bytes, two that follow each other begin at a multiple of four: these are all there can be. */
const pairs = new Uint8Array(2 ** 16);
for (const { bytes } of shifted) for (const at of [1, 2, 3, 4]) pairs[bytes.readUInt16BE(at)] = 1;

const windowBytes = 2 ** 20;
const step = 4;

/** All marks in order. `file` starts with a stream's header. */
export function* bzip2Marks(file: FileRange): Generator<Mark, void, undefined> {
  let level = levelAt(file, 0) ?? 9;
  for (const { kind, bit } of unlevelled(file)) {
    yield { kind, bit, level };
    if (kind === 'end') level = levelAt(file, streamEnd(bit)) ?? level;
  }
}

/** Marks that have been found and are not done with, and those that come after them as they are asked for. */
export class MarkQueue {
  readonly #source: Iterator<Mark>;
  readonly #found: Mark[] = [];

  constructor(source: Iterator<Mark>) {
    this.#source = source;
  }

  /** Counted from the first one that is left; undefined when there are no more. */
  at(index: number): Mark | undefined {
    while (this.#found.length <= index) {
      const next = this.#source.next();
      if (next.done === true) return undefined;
      this.#found.push(next.value);
    }
    return this.#found[index];
  }

  /** The first ones, which are done with. */
  take(count: number): readonly Mark[] {
    return this.#found.splice(0, count);
  }
}

/** The byte behind a stream, of which `endBit` is the end mark. */
export function streamEnd(endBit: number): number {
  return Math.ceil((endBit + markBits + checksumBits) / 8);
}

/** The level of the stream that begins at a byte; undefined when none does. */
export function levelAt(file: FileRange, at: number): number | undefined {
  const digit = /^BZh([1-9])/.exec(file.read(at, 4).toString('latin1'))?.[1];
  return digit === undefined ? undefined : Number(digit);
}

function* unlevelled(file: FileRange): Generator<Omit<Mark, 'level'>, void, undefined> {
  for (let start = 0; start < file.sizeBytes; start += windowBytes) {
    const bytes = file.read(start, windowBytes + 16);
    for (let at = step; at < windowBytes + step && at + 1 < bytes.length; at += step) {
      if (pairs[(bytes[at]! << 8) | bytes[at + 1]!] === 0) continue;
      for (let byte = at - step; byte < at; byte++)
        for (const { kind, shift, bytes: pattern, mask } of shifted)
          if (isAt(bytes, byte, pattern, mask)) yield { kind, bit: (start + byte) * 8 + shift };
    }
  }
}

function isAt(bytes: Buffer, at: number, pattern: Buffer, mask: Buffer): boolean {
  for (let n = 1; n < 8; n++)
    if (((bytes[at + (n % 7)] ?? 0) & mask[n % 7]!) !== pattern[n % 7]) return false;
  return true;
}

function shiftedRight(bytes: Buffer, shift: number): Buffer {
  const wide = BigInt(`0x${bytes.toString('hex')}`) << BigInt(8 - shift);
  return Buffer.from(wide.toString(16).padStart(14, '0'), 'hex');
}
