// Where downloaded bytes go, one growing end at a time, hashed on the way. Knows nothing of networks or of the store.

import { open, type FileHandle } from 'node:fs/promises';
import { DigestHasher, type Digest } from '../../store/base/digest.ts';

/** What a transfer fills. It may be continued by another source of the same bytes; `digest` tells if that went well. */
export interface Sink {
  readonly sizeBytes: number;
  append(chunk: Uint8Array): Promise<void>;
  /** Back to nothing. */
  reset(): Promise<void>;
  /** The digest of all that was appended since the start or the last reset. Ends it: only `reset` may follow. */
  digest(): Digest;
}

/** Keeps nothing but the digest. */
export class HashSink implements Sink {
  #hasher = new DigestHasher();
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(chunk: Uint8Array): Promise<void> {
    this.#hasher.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    return Promise.resolve();
  }

  reset(): Promise<void> {
    this.#hasher = new DigestHasher();
    this.#sizeBytes = 0;
    return Promise.resolve();
  }

  digest(): Digest {
    return this.#hasher.digest();
  }
}

/** Keeps the bytes in memory. */
export class MemorySink extends HashSink {
  #chunks: Uint8Array[] = [];

  override append(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    return super.append(chunk);
  }

  override reset(): Promise<void> {
    this.#chunks = [];
    return super.reset();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** A file that outlives the process, so that a download can go on where another one was interrupted. */
export class PartialFile implements Sink {
  readonly #handle: FileHandle;
  readonly #hash = new HashSink();

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens the file, or makes it, and hashes what it holds already. */
  static async open(path: string, signal: AbortSignal): Promise<PartialFile> {
    const file = new PartialFile(await open(path, 'a+', 0o600));
    try {
      const existing = file.#handle.createReadStream({ start: 0, autoClose: false, signal });
      for await (const chunk of existing) await file.#hash.append(chunk as Buffer);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#hash.sizeBytes;
  }

  /** @throws the system's error, ENOSPC for one; the file then holds a part of the chunk more than was hashed. */
  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk);
    await this.#hash.append(chunk);
  }

  async reset(): Promise<void> {
    await this.#handle.truncate(0);
    await this.#hash.reset();
  }

  digest(): Digest {
    return this.#hash.digest();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
