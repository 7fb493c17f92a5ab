// Content that is kept from collections although nothing leads to it yet: what was sent and is not part of an output so far, and what
// somebody was told to be here, and may rely on. Each until it is part of an output, or until whoever sent it or asked has had time
// enough; and never more of it than a part of what the store may have. Then what was asked for makes room first: asking is for everybody
// who may read, and nobody who only asks undoes what others are sending. The only use that is told of in its store.

import { digestSize, type Digest } from '../base/digest.ts';
import type { Store } from '../store.ts';

const keptMs = 60 * 60 * 1000;
/** Of so much as may be kept, this much is left when it was too much: looking for what is oldest is not worth it for each. */
const leftShare = 0.75;

export class InFlight {
  readonly #store: Pick<Store, 'use' | 'useOnly'>;
  readonly #sent = new Ledger();
  readonly #asked = new Ledger();
  readonly #mostBytes: number;

  constructor(store: Pick<Store, 'use' | 'useOnly'>, mostBytes = Infinity) {
    this.#store = store;
    this.#mostBytes = mostBytes;
  }

  /** It comes, or whoever sends the rest of an output relies on it. To be called before it is looked for. */
  async keepSent(digests: Iterable<Digest>): Promise<void> {
    await this.#keep(this.#sent, [...digests]);
  }

  /** Somebody is told that it is here, as long as there is room for that. To be called before it is looked for. */
  async keepAsked(digests: Iterable<Digest>): Promise<void> {
    await this.#keep(this.#asked, [...digests]);
  }

  async #keep(ledger: Ledger, digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) ledger.add(digest);
    const isTooMuch = this.#sizeBytes > this.#mostBytes;
    if (isTooMuch) this.#makeRoom();
    await this.#store.use(isTooMuch ? digests.filter((digest) => ledger.has(digest)) : digests);
  }

  get #sizeBytes(): number {
    return this.#sent.sizeBytes + this.#asked.sizeBytes;
  }

  // Who asks for, or sends, more than may be kept cannot have all of it kept.
  #makeRoom(): void {
    const leftBytes = this.#mostBytes * leftShare;
    this.#asked.forgetOldest(() => this.#sizeBytes > leftBytes);
    if (this.#sent.sizeBytes > this.#mostBytes) this.#sent.forgetOldest(() => this.#sizeBytes > leftBytes);
    this.#tell();
  }

  /** It is held by something else now. */
  release(digests: Iterable<Digest>): void {
    const oldestMs = performance.now() - keptMs;
    const released = [...digests];
    for (const ledger of [this.#sent, this.#asked]) {
      for (const digest of released) ledger.forget(digest);
      ledger.forgetOldest((sinceMs) => sinceMs <= oldestMs);
    }
    this.#tell();
  }

  #tell(): void {
    this.#store.useOnly([...this.#sent.digests(), ...this.#asked.digests()]);
  }
}

/** Content, and when it was last spoken of; what was first is first. */
class Ledger {
  readonly #since = new Map<Digest, number>();
  sizeBytes = 0;

  add(digest: Digest): void {
    this.forget(digest);
    this.#since.set(digest, performance.now());
    this.sizeBytes += digestSize(digest);
  }

  has(digest: Digest): boolean {
    return this.#since.has(digest);
  }

  forget(digest: Digest): void {
    if (this.#since.delete(digest)) this.sizeBytes -= digestSize(digest);
  }

  forgetOldest(goesOn: (sinceMs: number) => boolean): void {
    for (const [digest, sinceMs] of this.#since) {
      if (!goesOn(sinceMs)) return;
      this.forget(digest);
    }
  }

  digests(): Iterable<Digest> {
    return this.#since.keys();
  }
}
