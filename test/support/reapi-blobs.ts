// Blobs in memory, for tests of what moves them.

import { digestOf, type Digest } from '../../store/base/digest.ts';
import type { BlobSource, ReapiClient } from '../../store/reapi/client.ts';
import { randomFrom } from './random.ts';

const { signal } = new AbortController();

/** The same in every run, and nothing can make them smaller. */
export function bytesOf(seed: number, sizeBytes: number): Buffer {
  const random = randomFrom(seed);
  const words = Int32Array.from({ length: Math.ceil(sizeBytes / 4) }, () => random(2 ** 32));
  return Buffer.from(words.buffer).subarray(0, sizeBytes);
}

/** Blobs by digest, as a source. */
export class Blobs implements BlobSource {
  readonly all = new Map<Digest, Uint8Array>();

  constructor(...blobs: readonly Uint8Array[]) {
    for (const bytes of blobs) this.all.set(digestOf(bytes), bytes);
  }

  get digests(): Digest[] {
    return [...this.all.keys()];
  }

  read(digest: Digest): Promise<Uint8Array> {
    return Promise.resolve(this.all.get(digest)!);
  }

  async *stream(digest: Digest): AsyncGenerator<Uint8Array> {
    const bytes = await this.read(digest);
    for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
  }
}

/** What a client is given of these. */
export async function readAll(client: ReapiClient, digests: Iterable<Digest>): Promise<Map<Digest, Buffer>> {
  const read = new Map<Digest, Buffer>();
  await client.read(
    digests,
    async (digest, bytes) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      read.set(digest, Buffer.concat(chunks));
    },
    signal,
  );
  return read;
}
