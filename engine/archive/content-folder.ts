// The contents of an archive's files, each written once to a folder under a number. Knows no names.

import { closeSync, openSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { DigestHasher, digestOf, type Digest } from '../../store/base/digest.ts';
import type { Content } from './listing.ts';

/** A file up to this size is collected in memory, and not written at all when its content is there already. */
const collectedBytes = 2 ** 20;

export class ContentFolder {
  readonly contents: Content[] = [];
  readonly #folder: string;
  readonly #numbers = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps what the chunks hold, of about `sizeBytes`; the number it got comes out. */
  async add(
    chunks: AsyncIterable<Uint8Array>,
    { sizeBytes, executable }: { readonly sizeBytes: number; readonly executable: boolean },
  ): Promise<number> {
    return sizeBytes <= collectedBytes
      ? this.#addCollected(await collect(chunks), executable)
      : this.#addStreamed(chunks, executable);
  }

  #addCollected(bytes: Uint8Array, executable: boolean): number {
    const digest = digestOf(bytes);
    return this.#known(digest, executable) ?? this.#register(digest, executable, bytes);
  }

  #register(digest: Digest, executable: boolean, bytes: Uint8Array): number {
    writeFileSync(this.#nextPath(), bytes, { flag: 'wx' });
    return this.#remember(digest, executable);
  }

  async #addStreamed(chunks: AsyncIterable<Uint8Array>, executable: boolean): Promise<number> {
    const path = this.#nextPath();
    const digest = await writeHashed(path, chunks);
    const known = this.#known(digest, executable);
    if (known !== undefined) unlinkSync(path);
    return known ?? this.#remember(digest, executable);
  }

  #nextPath(): string {
    return `${this.#folder}/${this.contents.length}`;
  }

  #known(digest: Digest, executable: boolean): number | undefined {
    return this.#numbers.get(key(digest, executable));
  }

  #remember(digest: Digest, executable: boolean): number {
    const number = this.contents.push({ digest, executable }) - 1;
    this.#numbers.set(key(digest, executable), number);
    return number;
  }
}

// A store keeps a blob once for each value of the executable bit, so they are different files here too.
function key(digest: Digest, executable: boolean): string {
  return executable ? `${digest}.x` : digest;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

async function writeHashed(path: string, chunks: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hasher = new DigestHasher();
  const file = openSync(path, 'wx');
  try {
    for await (const chunk of chunks) {
      hasher.update(chunk);
      for (let written = 0; written < chunk.length;) written += writeSync(file, chunk, written);
    }
  } finally {
    closeSync(file);
  }
  return hasher.digest();
}
