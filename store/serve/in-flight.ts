// Content that came and is not part of an output yet: kept from collections until it is, or until whoever sent it has had time
// enough. The only use that is told of in its store.

import type { Digest } from '../base/digest.ts';
import type { Store } from '../store.ts';

const keptMs = 60 * 60 * 1000;

export class InFlight {
  readonly #store: Pick<Store, 'use' | 'useOnly'>;
  /** When it came; what came first is first. */
  readonly #since = new Map<Digest, number>();

  constructor(store: Pick<Store, 'use' | 'useOnly'>) {
    this.#store = store;
  }

  /** To be called before it is looked for. */
  async keep(digests: Iterable<Digest>): Promise<void> {
    const all = [...digests];
    for (const digest of all) {
      this.#since.delete(digest);
      this.#since.set(digest, performance.now());
    }
    await this.#store.use(all);
  }

  /** It is held by something else now. */
  release(digests: Iterable<Digest>): void {
    for (const digest of digests) this.#since.delete(digest);
    const oldest = performance.now() - keptMs;
    for (const [digest, sinceMs] of this.#since) {
      if (sinceMs > oldest) break;
      this.#since.delete(digest);
    }
    this.#store.useOnly(this.#since.keys());
  }
}
