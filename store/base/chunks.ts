// Sharing work out to threads: items in chunks that are neither too many nor too large. Pure.

export interface ChunkLimits {
  /** A chunk has no more items than this. */
  readonly items: number;
  /** A chunk is closed once it holds so many bytes. */
  readonly sizeBytes: number;
}

/** The items in their order, cut into chunks; every chunk has at least one. */
export function* chunksOf<T extends { readonly sizeBytes: number }>(
  items: Iterable<T>,
  limits: ChunkLimits,
): Generator<T[]> {
  let [chunk, sizeBytes]: [T[], number] = [[], 0];
  for (const item of items) {
    chunk.push(item);
    sizeBytes += item.sizeBytes;
    if (chunk.length < limits.items && sizeBytes < limits.sizeBytes) continue;
    yield chunk;
    [chunk, sizeBytes] = [[], 0];
  }
  if (chunk.length > 0) yield chunk;
}

/** The bytes of all items together. */
export function totalBytes(items: readonly { readonly sizeBytes: number }[]): number {
  return items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
