// What was made once to be sent, kept in files of this process up to a size: what was used longest ago goes first. All of it can
// be made again. Knows no store and no format.

import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { fileAt, type ServedFile } from './served-file.ts';
import type { SharedReads } from './shared-reads.ts';

/** Each holds its content in memory while it is made. */
const madeAtOnce = 2;

interface Copy {
  readonly path: string;
  readonly sizeBytes: number;
}

export class EncodedCopies {
  readonly #folder: string;
  readonly #mostBytes: number;
  readonly #making = new Map<string, Promise<Copy>>();
  /** Used longest ago first. */
  readonly #copies = new Map<string, Copy>();
  readonly #reads: SharedReads;
  readonly #limit = pLimit(madeAtOnce);
  #sizeBytes = 0;
  #made = 0;

  /** @param folder of this process alone, removed by whoever made it */
  constructor(folder: string, mostBytes: number, reads: SharedReads) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
    this.#reads = reads;
  }

  /** The bytes under a name, which are always the same; `make` gives them when they are not there. @throws what it throws */
  async file(name: string, make: () => Promise<AsyncIterable<Uint8Array>>): Promise<ServedFile> {
    const copy = this.#copies.get(name) ?? (await this.#ownOrShared(name, make));
    if (this.#copies.delete(name)) this.#copies.set(name, copy);
    return fileAt(copy.path, { sizeBytes: copy.sizeBytes, tag: name.slice(0, 32), reads: this.#reads });
  }

  /** Forgets all of them: what they were made of may be gone. */
  async clear(): Promise<void> {
    const copies = [...this.#copies.values()];
    this.#copies.clear();
    this.#sizeBytes = 0;
    for (const { path } of copies) await rm(path, { force: true });
  }

  #ownOrShared(name: string, make: () => Promise<AsyncIterable<Uint8Array>>): Promise<Copy> {
    const making = this.#making.get(name) ?? this.#limit(() => this.#make(name, make));
    this.#making.set(name, making);
    const forget = (): boolean => this.#making.delete(name);
    making.then(forget, forget);
    return making;
  }

  async #make(name: string, make: () => Promise<AsyncIterable<Uint8Array>>): Promise<Copy> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, `${this.#made++}`);
    try {
      await pipeline(await make(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      const copy = { path, sizeBytes: (await stat(path)).size };
      this.#copies.set(name, copy);
      this.#sizeBytes += copy.sizeBytes;
      await this.#makeRoom();
      return copy;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  // Whoever reads one that goes has it open by then, or finds it gone and asks again.
  async #makeRoom(): Promise<void> {
    while (this.#sizeBytes > this.#mostBytes && this.#copies.size > 1) {
      const [name, { path, sizeBytes }] = this.#copies.entries().next().value!;
      this.#copies.delete(name);
      this.#sizeBytes -= sizeBytes;
      await rm(path, { force: true });
    }
  }
}
