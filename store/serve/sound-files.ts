// Which files of blobs were hashed already, and not touched since, as far as their inodes tell: those are not hashed again.

import { lstatSync } from 'node:fs';
import type { Digest } from '../base/digest.ts';
import type { Blobs } from '../store.ts';

export class SoundFiles {
  readonly #blobs: Pick<Blobs, 'unaltered' | 'verified'>;
  readonly #known = new Map<string, string>();
  readonly #hashing = new Map<string, Promise<string>>();

  constructor(blobs: Pick<Blobs, 'unaltered' | 'verified'>) {
    this.#blobs = blobs;
  }

  /** The file that holds a blob, hashed now or before: once for all who ask meanwhile. @throws MissingBlob */
  async path(digest: Digest): Promise<string> {
    const path = await this.#blobs.unaltered(digest);
    if (this.isKnown(path)) return path;
    const hashing = this.#hashing.get(path) ?? this.#hashed(digest, path);
    this.#hashing.set(path, hashing);
    const forget = (): boolean => this.#hashing.delete(path);
    hashing.then(forget, forget);
    return hashing;
  }

  async #hashed(digest: Digest, path: string): Promise<string> {
    const seen = this.look(path);
    const verified = await this.#blobs.verified(digest);
    if (verified === path) this.remember(path, seen);
    return verified;
  }

  isKnown(path: string): boolean {
    const seen = this.look(path);
    return seen !== undefined && this.#known.get(path) === seen;
  }

  /** How the file looks now, for whoever is about to hash it. */
  look(path: string): string | undefined {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats && `${stats.ino} ${stats.size} ${stats.ctimeMs}`;
  }

  /** It was hashed, and looked so before. */
  remember(path: string, seen: string | undefined): void {
    if (seen !== undefined && seen === this.look(path)) this.#known.set(path, seen);
  }
}
