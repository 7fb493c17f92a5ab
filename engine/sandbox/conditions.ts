// The conditions a sandbox is run under: what a step sees as every executor shows it, but for what `cairn check` varies, and
// what is this machine's.

import type { Variation } from '../execute/executor.ts';
import { usualView } from '../execute/step-view.ts';
import { allowedProcessors } from './processors.ts';

/** What a step may notice of its surroundings. */
export interface Conditions {
  /** Working directory and HOME; empty at the start. */
  readonly buildFolder: string;
  /** The user and group id inside. */
  readonly uid: number;
  readonly umask: number;
  /** How many things to do at once, for programs that know no jobserver. */
  readonly jobs: number;
  /** What it may use of this machine's processors, by their numbers. */
  readonly processors: readonly number[];
  /** The fifo of this machine with the tokens that it may take, when there is one. */
  readonly jobserver: string | undefined;
}

/** How many things may happen at once, and the fifo that has this step's part of them (schedule/jobserver.ts). */
export interface JobPool {
  readonly slots: number;
  readonly jobserver?: string;
}

/** A place where nothing of a layer can be, and where making a mount point costs nothing. */
export const jobserverPath = '/dev/jobserver';
/** Likewise, for the list of what changed. */
export const changedPath = '/dev/changed';

/** The usual conditions, or those that `variation` asks for. A varied step uses no jobserver, so that its count is what it says. */
export function conditionsFor(jobs: JobPool, variation?: Variation): Conditions {
  const processors = allowedProcessors();
  if (variation !== undefined) {
    return { ...variation, jobserver: undefined, processors: processors.slice(0, variation.processors) };
  }
  return {
    ...usualView,
    jobs: jobs.slots,
    processors,
    jobserver: jobs.jobserver,
  };
}
