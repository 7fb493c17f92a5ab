// Content that came and is not part of an output yet, or was said to be here: kept from collections until it is part of one, or until
// whoever sent it or asked has had time enough; and never more of it than a part of what the store may have. The only use that is
// told of in its store.

import { digestSize, type Digest } from '../base/digest.ts';
import type { Store } from '../store.ts';

const keptMs = 60 * 60 * 1000;
/** Of so much as may be kept, this much is left when it was too much: looking for what is oldest is not worth it for each. */
const leftShare = 0.75;

export class InFlight {
  readonly #store: Pick<Store, 'use' | 'useOnly'>;
  /** When it came; what came first is first. */
  readonly #since = new Map<Digest, number>();
  readonly #mostBytes: number;
  #sizeBytes = 0;

  constructor(store: Pick<Store, 'use' | 'useOnly'>, mostBytes = Infinity) {
    this.#store = store;
    this.#mostBytes = mostBytes;
  }

  /** To be called before it is looked for. */
  async keep(digests: Iterable<Digest>): Promise<void> {
    const all = [...digests];
    for (const digest of all) {
      this.#forget(digest);
      this.#since.set(digest, performance.now());
      this.#sizeBytes += digestSize(digest);
    }
    if (this.#sizeBytes > this.#mostBytes) this.#makeRoom();
    await this.#store.use(all);
  }

  // Who asks for, or sends, more than may be kept cannot have all of it kept.
  #makeRoom(): void {
    for (const digest of this.#since.keys()) {
      if (this.#sizeBytes <= this.#mostBytes * leftShare) break;
      this.#forget(digest);
    }
    this.#store.useOnly(this.#since.keys());
  }

  #forget(digest: Digest): void {
    if (this.#since.delete(digest)) this.#sizeBytes -= digestSize(digest);
  }

  /** It is held by something else now. */
  release(digests: Iterable<Digest>): void {
    for (const digest of digests) this.#forget(digest);
    const oldest = performance.now() - keptMs;
    for (const [digest, sinceMs] of this.#since) {
      if (sinceMs > oldest) break;
      this.#forget(digest);
    }
    this.#store.useOnly(this.#since.keys());
  }
}
