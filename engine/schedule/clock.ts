// The time as whoever schedules is told it: that of this machine, or one that a simulation lets go by.

export interface Clock {
  /** Milliseconds since some moment. */
  nowMs(): number;
  /** Calls `act` after so many milliseconds, unless what it gives is called before. Keeps no process from ending. */
  after(ms: number, act: () => void): () => void;
}

/** What a timer can be set to; whoever waits for longer looks at the time once more. */
const longestTimerMs = 2 ** 31 - 1;

export const wallClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, Math.min(ms, longestTimerMs)).unref();
    return () => clearTimeout(timer);
  },
};
