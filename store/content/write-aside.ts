// Blobs in memory, written to a batch's folder by other threads: gathered first, since each trip to a thread costs as much as
// some files do.

import { setImmediate } from 'node:timers';
import type { Digest } from '../base/digest.ts';
import type { FilePool } from './file-pool.ts';
import { writeBlob } from './write-blob.ts';

/** What one thread is handed at a time. */
const most = { files: 256, sizeBytes: 2 << 20 };
/** Below both, another thread is not worth the trip. */
const few = { files: 8, sizeBytes: 256 << 10 };

interface Waiting {
  readonly bytes: Uint8Array;
  readonly executable: boolean;
  readonly resolve: (digest: Digest) => void;
  readonly reject: (error: unknown) => void;
}

export class WritingAside {
  readonly #pool: () => FilePool;
  readonly #folder: () => string;
  readonly #underWay = new Set<Promise<void>>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  constructor(pool: () => FilePool, folder: () => string) {
    this.#pool = pool;
    this.#folder = folder;
  }

  /** The blob's digest, once it is written; what is added in the same turn of the event loop goes together. */
  add(bytes: Uint8Array, executable: boolean): Promise<Digest> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ bytes, executable, resolve, reject });
      this.#waitingBytes += bytes.byteLength;
      if (this.#waiting.length >= most.files || this.#waitingBytes >= most.sizeBytes) this.#send();
    });
  }

  /** Resolves when no thread writes any more. */
  async settled(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
  }

  #send(): void {
    const [waiting, sizeBytes] = [this.#waiting, this.#waitingBytes];
    [this.#waiting, this.#waitingBytes] = [[], 0];
    if (waiting.length === 0) return;
    const sending = this.#write(waiting, sizeBytes).then(
      (digests) => waiting.forEach(({ resolve }, at) => resolve(digests[at]!)),
      (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
    );
    this.#underWay.add(sending);
    void sending.then(() => this.#underWay.delete(sending));
  }

  async #write(waiting: readonly Waiting[], sizeBytes: number): Promise<readonly Digest[]> {
    const folder = this.#folder();
    if (waiting.length < few.files && sizeBytes < few.sizeBytes)
      return waiting.map(({ bytes, executable }) => writeBlob(bytes, executable, folder));
    const bytes = Buffer.allocUnsafeSlow(sizeBytes); // all of it is written over
    let at = 0;
    for (const one of waiting) {
      bytes.set(one.bytes, at);
      at += one.bytes.byteLength;
    }
    const files = waiting.map((one) => ({ sizeBytes: one.bytes.byteLength, executable: one.executable }));
    return this.#pool().write({ bytes, files }, folder);
  }
}
