// Digests: SHA-256 and size, the identity of every blob, tree, derivation and action. Never xxHash (see fingerprint).

import { createHash, hash, type Hash } from 'node:crypto';
import { bug } from './errors.ts';

declare const digestBrand: unique symbol;

/**
 * `<64 lower-case hex digits>/<size in bytes>`: the Remote Execution API's digest written as one string, so that it
 * is a map key, a database key and comparable with `===`.
 */
export type Digest = string & { readonly [digestBrand]: true };

const digestPattern = /^[0-9a-f]{64}\/(0|[1-9][0-9]{0,15})$/;

/** The digest written in `text`, or undefined when it is not one. */
export function parseDigest(text: string): Digest | undefined {
  return digestPattern.test(text) && Number.isSafeInteger(digestSize(text as Digest))
    ? (text as Digest)
    : undefined;
}

/** A digest from a hash already in lower-case hex and a size in bytes. */
export function makeDigest(hashHex: string, sizeBytes: number): Digest {
  return parseDigest(`${hashHex}/${sizeBytes}`) ?? bug(`not a digest: ${hashHex}/${sizeBytes}`);
}

/** The SHA-256 part, 64 lower-case hex digits. */
export function digestHash(digest: Digest): string {
  return digest.slice(0, 64);
}

/** The size part, in bytes. */
export function digestSize(digest: Digest): number {
  return Number(digest.slice(65));
}

/** The first twelve hex digits, for people. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 12);
}

/** The digest of bytes in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return `${hash('sha256', bytes, 'hex')}/${bytes.byteLength}` as Digest;
}

/** Hashes what passes through it; `digest()` ends it. */
export class DigestHasher {
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.byteLength;
  }

  digest(): Digest {
    return `${this.#hash.digest('hex')}/${this.#sizeBytes}` as Digest;
  }
}
