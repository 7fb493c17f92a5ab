// What the scheduler and whoever does a step say to each other, beside outcomes. Types only.

/** Another process is doing the same step. */
export interface Busy {
  readonly kind: 'busy';
  /** Resolves when it has ended, one way or the other. @throws the signal's reason */
  readonly freed: (signal: AbortSignal) => Promise<void>;
}
