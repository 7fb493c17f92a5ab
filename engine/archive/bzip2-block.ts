// One block of a bzip2 file made a stream of its own, so that blocks can be decoded apart. Pure.

import { checksumBits, endMark, markBits } from './bzip2-marks.ts';

export interface Bzip2Block {
  /** With the block in it, which begins at a bit of the first byte. */
  readonly bytes: Uint8Array;
  readonly firstBit: number;
  readonly bits: number;
  readonly level: number;
}

const headerBytes = 4;

/** The checksum that follows a mark, which begins at a bit of the first byte. */
export function checksumAfterMark(bytes: Uint8Array, firstBit: number): number {
  return bitsOf({ bytes, firstBit }, (markBits + checksumBits) / 8).readUInt32BE(markBits / 8);
}

/** Header, block, end mark, and the checksum of the stream, which with one block is the block's. */
export function streamOfBlock(block: Bzip2Block): Buffer {
  const body = bitsOf(block, Math.ceil(block.bits / 8));
  const checksum = body.subarray(markBits / 8, (markBits + checksumBits) / 8);
  const [full, over] = [Math.floor(block.bits / 8), block.bits % 8];
  const stream = Buffer.alloc(headerBytes + full + 1 + endMark.length + checksum.length);
  stream.write(`BZh${block.level}`, 'latin1');
  body.copy(stream, headerBytes);
  let at = headerBytes + full;
  stream[at]! &= 0xff00 >> over;
  for (const byte of Buffer.concat([endMark, checksum])) {
    stream[at]! |= byte >> over;
    at += 1;
    stream[at] = (byte << (8 - over)) & 0xff;
  }
  return stream;
}

// The first bytes of a block, as if it began with the first bit of one.
function bitsOf({ bytes, firstBit }: Pick<Bzip2Block, 'bytes' | 'firstBit'>, count: number): Buffer {
  const out = Buffer.alloc(count);
  for (let at = 0; at < count; at++)
    out[at] = (bytes[at]! << firstBit) | ((bytes[at + 1] ?? 0) >> (8 - firstBit));
  return out;
}
