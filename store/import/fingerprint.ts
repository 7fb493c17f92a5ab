// Fingerprints: xxHash64 of a file's bytes. A hint that something may have changed, never identity. The only importer of
// xxhash-wasm.

import type { XXHashAPI } from 'xxhash-wasm';

let loaded: Promise<XXHashAPI> | undefined;

/** Takes a file's bytes in pieces and gives its fingerprint at the end. */
export interface Fingerprinter {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}

export async function startFingerprint(): Promise<Fingerprinter> {
  loaded ??= import('xxhash-wasm').then(({ default: load }) => load());
  return (await loaded).create64();
}
