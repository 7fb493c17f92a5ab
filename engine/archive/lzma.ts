// .lzma, the format before xz, by lzma-native (liblzma). It has neither signature nor checksum: a header of thirteen bytes, then
// data that ends where the header says or at a marker (xz's doc/lzma-file-format.txt).

import lzma from 'lzma-native';
import { PassThrough } from 'node:stream';
import { malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';
import { isLiblzmas, memlimit } from './xz.ts';

/** Small, because all that one piece grows to is in memory at once. */
const pieceBytes = 16 * 1024;
const bufsize = 256 * 1024;
/** Properties, dictionary size, size of what comes out. */
const headerBytes = 13;
const sizeAt = 5;
const unknownSize = Buffer.alloc(8, 0xff);

export async function* unlzma(compressed: FileRange): AsyncGenerator<Buffer, void, undefined> {
  let plainBytes = 0;
  try {
    for await (const chunk of decode(compressed, compressed.read(0, headerBytes))) {
      plainBytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (isLiblzmas(error, 'memory')) malformed('its lzma data needs more memory than cairn gives');
    if (isLiblzmas(error, 'options') || isLiblzmas(error, 'format'))
      malformed('its lzma data has an option that cairn does not know');
    if (!isLiblzmas(error, 'data') || isSizeUnknown(compressed)) throw error;
    yield* restUpToMarker(compressed, plainBytes, error);
  }
}

// Some encoders state the size and write the marker, too, which liblzma takes for damage until 5.2.6. Then the same data
// without a size have to end in a marker there.
async function* restUpToMarker(
  compressed: FileRange,
  doneBytes: number,
  error: unknown,
): AsyncGenerator<Buffer, void, undefined> {
  const header = compressed.read(0, headerBytes);
  const sizeBytes = Number(header.readBigUInt64LE(sizeAt));
  unknownSize.copy(header, sizeAt);
  let at = 0;
  for await (const chunk of decode(compressed, header)) {
    const isNew = at + chunk.length > doneBytes;
    const piece = isNew ? chunk.subarray(Math.max(0, doneBytes - at)) : undefined;
    at += chunk.length;
    if (at > sizeBytes) throw error;
    if (piece !== undefined) yield piece;
  }
  if (at !== sizeBytes) throw error;
}

function isSizeUnknown(compressed: FileRange): boolean {
  return compressed.read(sizeAt, unknownSize.length).equals(unknownSize);
}

// By hand, since a decoder that has come to its end never takes another piece, and says nothing of it.
async function* decode(compressed: FileRange, header: Buffer): AsyncGenerator<Buffer, void, undefined> {
  const decoder = lzma.createStream('aloneDecoder', { bufsize, memlimit });
  const plain = new PassThrough();
  let [isOver, readBytes] = [false, 0];
  decoder.on('progress', ({ totalIn }: { totalIn: number }) => (readBytes = totalIn));
  decoder.on('end', () => (isOver = true));
  decoder.on('error', (error: Error) => plain.destroy(error));
  plain.on('close', () => (isOver = true));
  decoder.pipe(plain);
  const pieces = compressed.slice(headerBytes, compressed.sizeBytes - headerBytes).pieces(pieceBytes);
  const writeNext = (): void => {
    if (isOver) return;
    const next = pieces.next();
    if (next.done === true) decoder.end();
    else decoder.write(next.value, writeNext);
  };
  decoder.write(header, writeNext);
  try {
    yield* plain as AsyncIterable<Buffer>;
    if (readBytes < compressed.sizeBytes) malformed('something follows its lzma data');
  } finally {
    decoder.destroy();
  }
}
