// How long a cache is waited for, whatever kind it is of.

export interface CachePatience {
  /** Until the first answer begins: whoever does not answer at all is soon given up. */
  readonly firstMs: number;
  /**
   * Until any later one does, and until the next piece comes or goes. Where pieces cannot be seen to move, as in one message, it is
   * so long for each slice of them.
   */
  readonly idleMs: number;
}

/** Whoever takes, or gives, nothing of so much is given up. */
export const sliceBytes = 256 * 1024;

/** Of whoever asks, and can do without. */
export const askersPatience: CachePatience = { firstMs: 1000, idleMs: 5000 };

/** Of whoever brings something: many may do so at once, and nobody else waits for it. */
export const pushersPatience: CachePatience = { firstMs: 5000, idleMs: 60_000 };
