// zstd by its wasm build, on this thread.

import { compress, decompress, init } from '@bokuweb/zstd-wasm';

/** To be compressed at a level, or decompressed when there is none. */
export interface ZstdJob {
  readonly bytes: Uint8Array;
  readonly level: number | undefined;
}

let ready: Promise<void> | undefined;

/** Bytes of their own. @throws Error for what is no zstd */
export async function byWasm({ bytes, level }: ZstdJob): Promise<Uint8Array> {
  await (ready ??= init());
  return level === undefined ? decompress(bytes) : compress(bytes, level);
}
