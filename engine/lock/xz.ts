// xz for the lock's indices, whole and in memory. Loads the library when it is first needed, and only then.

import { createRequire } from 'node:module';

// lzma-native comes without types.
interface LzmaNative {
  decompress(bytes: Uint8Array): Promise<Buffer>;
}

/** The content of an xz file that is trusted not to be a bomb. */
export async function decompressXz(bytes: Uint8Array): Promise<Buffer> {
  const lzma = createRequire(import.meta.url)('lzma-native') as LzmaNative;
  return lzma.decompress(bytes);
}
