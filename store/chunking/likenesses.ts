// What is here and is likely to have much in common with a large file that is elsewhere: then only what differs need come. Knows no
// store and no protocol.

import { digestOf, digestSize, type Digest } from '../base/digest.ts';
import { chunksIn, type Chunking } from './chunks.ts';

/** Told by whoever wants content from elsewhere, for whoever brings it. */
export interface Likenesses {
  /** Blobs that are here and may have much in common with this one; none where nothing is known. */
  likeTo(digest: Digest): readonly Digest[];
  /** The bytes of such a blob, from one offset to before another. @throws MissingBlob; when it is shorter than it was */
  range(digest: Digest, from: number, to: number): AsyncIterable<Uint8Array>;
}

/** Where a chunk lies that is here. */
export interface ChunkPlace {
  readonly blob: Digest;
  readonly offset: number;
}

/** All chunks of what is like a blob. What cannot be read is like nothing. @throws the signal's reason */
export async function chunksLike(
  digest: Digest,
  likenesses: Likenesses,
  { chunking, signal }: { readonly chunking: Chunking; readonly signal: AbortSignal },
): Promise<ReadonlyMap<Digest, ChunkPlace>> {
  const places = new Map<Digest, ChunkPlace>();
  for (const blob of likenesses.likeTo(digest)) {
    let offset = 0;
    try {
      for await (const chunk of chunksIn(likenesses.range(blob, 0, digestSize(blob)), chunking)) {
        signal.throwIfAborted();
        places.set(digestOf(chunk), { blob, offset });
        offset += chunk.byteLength;
      }
    } catch {
      signal.throwIfAborted();
    }
  }
  return places;
}
