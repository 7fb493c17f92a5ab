// Compressed bytes to plain bytes, for every compression an archive may have. Damage of any kind ends in BadArchive.

import { BadArchive } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';
import type { Compression } from './format.ts';

type Decoder = (compressed: FileRange) => AsyncIterable<Buffer>;

// Each library is loaded when an archive needs it.
const decoders: Readonly<Record<Compression, () => Promise<Decoder>>> = {
  gzip: async () => (await import('./gzip.ts')).gunzip,
  bzip2: async () => (await import('./bzip2.ts')).bunzip2,
  xz: async () => (await import('./xz.ts')).unxz,
  lzma: async () => (await import('./lzma.ts')).unlzma,
  zstd: async () => (await import('./zstd.ts')).unzstd,
};

/** All of the plain bytes. The stream's own checksums are verified; what follows the compressed data is refused. */
export async function* decompress(
  compressed: FileRange,
  compression: Compression,
): AsyncGenerator<Buffer, void, undefined> {
  const decode = await decoders[compression]();
  try {
    yield* decode(compressed);
  } catch (error) {
    if (error instanceof BadArchive || isSystemError(error)) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new BadArchive('malformed', `its ${compression} data is damaged or cut short (${message})`);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
