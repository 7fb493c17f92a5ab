// What a kernel is for.

/** The usual kernel, one that answers in bounded time, or one without what only servers and containers want. */
export type Variant = 'standard' | 'rt' | 'tiny';
