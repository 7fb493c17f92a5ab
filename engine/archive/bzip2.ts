// bzip2 by unbzip2-stream, which checks every block's and the whole stream's CRC.

import unbzip2 from 'unbzip2-stream';
import { Burst } from './burst.ts';
import type { FileRange } from './file-range.ts';

const pieceBytes = 64 * 1024;

/** Streams that follow each other are one, as with bzip2(1). */
export function* bunzip2(compressed: FileRange): Generator<Buffer, void, undefined> {
  const burst = new Burst();
  let failure: Error | undefined;
  const decoder = unbzip2();
  decoder.on('data', (chunk: Buffer) => burst.add(chunk));
  decoder.on('error', (error: Error) => (failure ??= error));
  for (const piece of compressed.pieces(pieceBytes)) {
    decoder.write(piece);
    if (failure !== undefined) throw failure;
    yield* burst.take();
  }
  decoder.end();
  if (failure !== undefined) throw failure;
  yield* burst.take();
}
