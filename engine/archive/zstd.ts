// zstd (RFC 8878): by node:zlib where it has zstd (Node 22.15 and later), else by fzstd, which leaves checksums to others.
// One frame at a time: node:zlib ends with the first, and fzstd does not say where one ends.

import { Decompress } from 'fzstd';
import zlib from 'node:zlib';
import xxhash from 'xxhash-wasm';
import { malformed } from './bad-archive.ts';
import { Burst } from './burst.ts';
import type { FileRange } from './file-range.ts';
import { throughTransform } from './through-transform.ts';
import { zstdFrames, type ZstdFrame } from './zstd-frames.ts';

const pieceBytes = 64 * 1024;
const chunkSize = 256 * 1024;
/** A block of any size takes four bytes at the least, and fzstd does all that are in a piece in one go. */
const fzstdPieceBytes = 4 * 1024;

// Newer than the Node version that the types are of.
const { createZstdDecompress } = zlib as {
  readonly createZstdDecompress?: (options: { readonly chunkSize: number }) => NodeJS.ReadWriteStream;
};

let loadedXxhash: ReturnType<typeof xxhash> | undefined;
const loadXxhash = (): ReturnType<typeof xxhash> => (loadedXxhash ??= xxhash());

/** Frames that follow each other are one stream, as with zstd(1). */
export async function* unzstd(compressed: FileRange): AsyncGenerator<Buffer, void, undefined> {
  for (const frame of zstdFrames(compressed)) {
    if (createZstdDecompress === undefined) yield* withFzstd(frame);
    else yield* throughTransform(frame.bytes.pieces(pieceBytes), createZstdDecompress({ chunkSize }));
  }
}

async function* withFzstd({ bytes, checksum }: ZstdFrame): AsyncGenerator<Buffer, void, undefined> {
  const hash = (await loadXxhash()).create64();
  for (const chunk of decodeFrame(bytes)) {
    hash.update(chunk);
    yield chunk;
  }
  if (checksum !== undefined && Number(hash.digest() & 0xffff_ffffn) !== checksum)
    malformed('its zstd data has a wrong checksum');
}

function* decodeFrame(frame: FileRange): Generator<Buffer, void, undefined> {
  const burst = new Burst();
  const decoder = new Decompress((chunk) => burst.add(chunk));
  for (const piece of frame.pieces(fzstdPieceBytes)) {
    decoder.push(piece);
    yield* burst.take();
  }
  decoder.push(new Uint8Array(0), true);
  yield* burst.take();
}
