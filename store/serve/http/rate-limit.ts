// How many requests each address may make: a bucket for each, filled as time passes. Knows no protocol.

/** Buckets of a burst's length. */
const burstSeconds = 10;
const mostAddresses = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

export class RateLimit {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  /** Used longest ago first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, nowMs: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /** Counts a request. False when the address has made too many. */
  allows(address: string): boolean {
    const nowMs = this.#nowMs();
    const full = this.#perSecond * burstSeconds;
    const { left, atMs } = this.#buckets.get(address) ?? { left: full, atMs: nowMs };
    const filled = Math.min(full, left + ((nowMs - atMs) / 1000) * this.#perSecond);
    this.#buckets.delete(address);
    this.#buckets.set(address, { left: Math.max(0, filled - 1), atMs: nowMs });
    if (this.#buckets.size > mostAddresses) this.#buckets.delete(this.#buckets.keys().next().value!);
    return filled >= 1;
  }
}
