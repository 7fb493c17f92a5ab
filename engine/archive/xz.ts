// xz by lzma-native (liblzma), which decodes on the thread pool and verifies every integrity check. Blocks of a large .xz
// are decoded several at a time.

import lzma from 'lzma-native';
import { availableParallelism } from 'node:os';
import { malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';
import { throughTransform } from './through-transform.ts';
import { unknownFilter, xzHeadBytes } from './xz-filters.ts';
import { checkXzPadding, hasXzEndBefore, xzBlocks, type XzBlock } from './xz-blocks.ts';

/**
 * Small, because all that one piece grows to is in memory at once: at most 7,000 times as much. A multiple of four, as
 * every stream's length is: lzma-native finds the next stream only when the "YZ" that ends one is not split.
 */
const pieceBytes = 16 * 1024;
const bufsize = 256 * 1024;
/** What a decoder of liblzma may use: xz's own presets need up to 65 MiB, other dictionaries more. */
export const memlimit = 2 ** 30;
/** So many blocks of at most this size are in memory at once. xz makes blocks of 24 MiB unless told otherwise. */
const blocksAtOnce = Math.min(3, availableParallelism());
const largestBlockBytes = 32 * 2 ** 20;

/** Streams that follow each other are one, as with xz(1). */
export function unxz(compressed: FileRange): AsyncIterable<Buffer> {
  checkXzPadding(compressed);
  const blocks = xzBlocks(compressed) ?? [];
  return blocks.length > 1 && blocks.every(({ plainBytes }) => plainBytes <= largestBlockBytes)
    ? decodeBlocks(blocks)
    : decode(compressed.pieces(pieceBytes), compressed);
}

async function* decode(pieces: Iterable<Buffer>, whole?: FileRange): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer = Buffer.alloc(0);
  try {
    yield* throughTransform(seen(), lzma.createStream('streamDecoder', { bufsize, memlimit }));
  } catch (error) {
    // The library's liblzma is older than the filters for ARM64 and RISC-V.
    if (isLiblzmas(error, 'options')) malformed(unreadable(unknownFilter(head)));
    if (isLiblzmas(error, 'memory')) malformed('its xz data needs more memory than cairn gives');
    // That the first stream is one is known: format.ts.
    if (isLiblzmas(error, 'format') || (whole !== undefined && hasXzEndBefore(whole)))
      malformed('something follows its xz data');
    throw error;
  }

  function* seen(): Generator<Buffer> {
    for (const piece of pieces) {
      if (head.length < xzHeadBytes) head = Buffer.concat([head, piece.subarray(0, xzHeadBytes)]);
      yield piece;
    }
  }
}

const liblzmaErrors = {
  options: 'Invalid or unsupported options',
  memory: 'Memory usage limit was reached',
  data: 'Data is corrupt',
  format: 'File format not recognized',
} as const;

export function isLiblzmas(error: unknown, kind: keyof typeof liblzmaErrors): boolean {
  return error instanceof Error && error.message === liblzmaErrors[kind];
}

function unreadable(filter: string | undefined): string {
  return filter === undefined
    ? 'its xz data has an option that cairn does not know'
    : `its xz data went through the filter ${filter}, which cairn does not know; xz without it makes one that can be read`;
}

async function* decodeBlocks(blocks: readonly XzBlock[]): AsyncGenerator<Buffer, void, undefined> {
  const waiting = blocks.values();
  const ahead: Promise<Buffer[]>[] = [];
  const stop = new AbortController();
  const startNext = (): void => {
    const { value: block } = waiting.next();
    if (block === undefined) return;
    const decoding = decodeBlock(block, stop.signal);
    // An error counts when it is this block's turn.
    decoding.catch(() => undefined);
    ahead.push(decoding);
  };
  for (let count = 0; count < blocksAtOnce; count++) startNext();
  try {
    for (let block = ahead.shift(); block !== undefined; block = ahead.shift()) {
      const chunks = await block;
      startNext();
      yield* chunks;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(ahead);
  }
}

async function decodeBlock(block: XzBlock, signal: AbortSignal): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let plainBytes = 0;
  for await (const chunk of decode(block.stream(pieceBytes))) {
    if (signal.aborted) break;
    plainBytes += chunk.length;
    if (plainBytes > block.plainBytes) malformed('its xz data is more than its index says');
    chunks.push(chunk);
  }
  return chunks;
}
