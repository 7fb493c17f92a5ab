// Watches one running step against its limits. Knows no process but by its id, and does not end anything itself.

import { availableParallelism } from 'node:os';
import type { FailureReason } from '../events.ts';
import type { Limits } from '../model/derivation.ts';
import { countTasks, residentBytes, tasksOfMachine } from './process-tree.ts';

/** A limit that was exceeded. */
export type Excess = Extract<
  FailureReason,
  { kind: 'timeout' | 'silence' | 'memory' | 'processes' | 'log-size' }
>;

/** What holds for a step that says nothing: generous, so that only what hangs or runs away meets them. */
export const usualLimits = {
  timeoutSeconds: 4 * 60 * 60,
  silenceSeconds: 60 * 60,
  logBytes: 64 * 1024 * 1024,
} as const satisfies Limits;

export interface Watched {
  readonly pid: number;
  /** The step has ended: stop watching. */
  readonly ended: AbortSignal;
  /** Called when a limit is exceeded, perhaps more than once. */
  readonly onExcess: (excess: Excess) => void;
}

/**
 * Processes and threads of one step. The kernel counts them for all that a user runs, and not at all for root, so a step's own
 * are counted here. More than any build has; one that only multiplies makes some thousand more before it is ended.
 */
export const mostTasks = 1024 + 64 * availableParallelism();

const memoryLookEveryMs = 500;
const tasksLookEveryMs = 20;
/** The longest delay a timer takes, 24 days. */
const longestDelayMs = 2 ** 31 - 1;

/** What is known of a step that is watched. */
export interface Watch {
  /** To be called with the size of the log whenever that grows. */
  logHasGrown(sizeBytes: number): void;
  /** The most resident memory it was seen to have, in bytes; undefined of one that was over before it was looked at. */
  peakMemoryBytes(): number | undefined;
}

/** Starts watching. */
export function watchLimits(limits: Limits, watched: Watched): Watch {
  const { timeoutSeconds, silenceSeconds, logBytes } = { ...usualLimits, ...limits };
  const { ended, onExcess } = watched;
  const timers = [
    after(timeoutSeconds, () => onExcess({ kind: 'timeout', limitSeconds: timeoutSeconds })),
    after(silenceSeconds, () => onExcess({ kind: 'silence', limitSeconds: silenceSeconds })),
  ] as const;
  let peakMemoryBytes: number | undefined;
  const looks = [
    watchTasks(watched),
    watchMemory(limits.memoryBytes, watched, (sizeBytes) => {
      peakMemoryBytes = Math.max(peakMemoryBytes ?? 0, sizeBytes);
    }),
  ];
  ended.addEventListener(
    'abort',
    () => {
      timers.forEach(clearTimeout);
      looks.forEach(clearInterval);
    },
    { once: true },
  );
  return {
    logHasGrown: (sizeBytes) => {
      timers[1].refresh();
      if (sizeBytes > logBytes) onExcess({ kind: 'log-size', limitBytes: logBytes });
    },
    peakMemoryBytes: () => peakMemoryBytes,
  };
}

function after(seconds: number, act: () => void): NodeJS.Timeout {
  return setTimeout(act, Math.min(seconds * 1000, longestDelayMs));
}

function watchMemory(
  limitBytes: number | undefined,
  { pid, onExcess }: Watched,
  onLook: (sizeBytes: number) => void,
): NodeJS.Timeout {
  return setInterval(() => {
    const sizeBytes = residentBytes(pid);
    onLook(sizeBytes);
    if (limitBytes !== undefined && sizeBytes > limitBytes) onExcess({ kind: 'memory', limitBytes });
  }, memoryLookEveryMs);
}

// Counting takes long when there are many: it is begun only when the whole machine has more than one step may.
function watchTasks({ pid, ended, onExcess }: Watched): NodeJS.Timeout {
  let isCounting = false;
  const look = async (): Promise<void> => {
    if (isCounting || tasksOfMachine() <= mostTasks) return;
    isCounting = true;
    const count = await countTasks(pid, mostTasks);
    isCounting = false;
    if (count > mostTasks && !ended.aborted) onExcess({ kind: 'processes', limitCount: mostTasks });
  };
  return setInterval(() => void look(), tasksLookEveryMs);
}
