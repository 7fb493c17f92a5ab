// Which records are served, by the keys under which a Remote Execution API server is asked for them. Packs are read when they are
// new; what a collection took is found gone.

import type { Digest } from '../../base/digest.ts';
import { decodeSignedRecord, subjectOf } from '../../caches/signed-record.ts';
import { keyOf } from '../../reapi/action-results.ts';
import type { ShelfFiles } from '../shelf-files.ts';

interface Entry {
  readonly subject: Digest;
  readonly packs: Set<string>;
}

const rememberedPacks = 64;

export class RecordBook {
  readonly #files: Pick<ShelfFiles, 'packs' | 'records'>;
  readonly #entries = new Map<Digest, Entry>();
  readonly #known = new Set<string>();
  /** Used longest ago first. */
  readonly #packs = new Map<string, Promise<readonly Uint8Array[]>>();
  #refreshing: Promise<void> | undefined;

  constructor(files: Pick<ShelfFiles, 'packs' | 'records'>) {
    this.#files = files;
  }

  /** Reads what has come since. To be called before it is asked. */
  refresh(): Promise<void> {
    return (this.#refreshing ??= this.#read().finally(() => (this.#refreshing = undefined)));
  }

  /** What the key is of; undefined when nothing is said of it. */
  subject(key: Digest): Digest | undefined {
    return this.#entries.get(key)?.subject;
  }

  async records(key: Digest): Promise<readonly Uint8Array[]> {
    const entry = this.#entries.get(key);
    const packs = await Promise.all([...(entry?.packs ?? [])].map((pack) => this.#pack(pack)));
    return packs.flat().filter((bytes) => subjectIn(bytes) === entry?.subject);
  }

  async #read(): Promise<void> {
    const packs = new Set(await this.#files.packs());
    for (const pack of this.#known) if (!packs.has(pack)) this.#forget(pack);
    for (const pack of packs) {
      if (this.#known.has(pack)) continue;
      this.#known.add(pack);
      for (const bytes of await this.#pack(pack)) this.#add(bytes, pack);
    }
  }

  #add(bytes: Uint8Array, pack: string): void {
    const subject = subjectIn(bytes);
    if (subject === undefined) return;
    const key = keyOf(subject);
    const entry = this.#entries.get(key) ?? { subject, packs: new Set() };
    this.#entries.set(key, entry);
    entry.packs.add(pack);
  }

  #forget(pack: string): void {
    this.#known.delete(pack);
    this.#packs.delete(pack);
    for (const [key, { packs }] of this.#entries) {
      packs.delete(pack);
      if (packs.size === 0) this.#entries.delete(key);
    }
  }

  #pack(pack: string): Promise<readonly Uint8Array[]> {
    const found = this.#packs.get(pack) ?? this.#files.records(pack);
    this.#packs.delete(pack);
    this.#packs.set(pack, found);
    for (const oldest of this.#packs.keys()) {
      if (this.#packs.size <= rememberedPacks) break;
      this.#packs.delete(oldest);
    }
    return found;
  }
}

function subjectIn(bytes: Uint8Array): Digest | undefined {
  const record = decodeSignedRecord(bytes);
  return record && subjectOf(record.statement);
}
