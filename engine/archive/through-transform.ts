// Chunks through a transform stream, as an iterable whose early end closes everything.

import { Readable, pipeline } from 'node:stream';

export async function* throughTransform(
  chunks: Iterable<Buffer>,
  transform: NodeJS.ReadWriteStream,
): AsyncGenerator<Buffer, void, undefined> {
  // Errors reach the reader through the transform, which the pipeline closes with them.
  pipeline(Readable.from(chunks), transform, () => undefined);
  yield* transform as AsyncIterable<Buffer>;
}
