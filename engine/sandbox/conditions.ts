// The conditions a step runs under: the same for every step on every machine, but for what `cairn check` varies.

import type { BuildRequest, Variation } from '../execute/executor.ts';
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

/** Outputs are folders in here. */
export const outputsFolder = '/outputs';
/** A place where nothing of a layer can be, and where making a mount point costs nothing. */
export const jobserverPath = '/dev/jobserver';

/** The usual conditions, or those that `variation` asks for. A varied step uses no jobserver, so that its count is what it says. */
export function conditionsFor(jobs: JobPool, variation?: Variation): Conditions {
  const processors = allowedProcessors();
  if (variation !== undefined) {
    return { ...variation, jobserver: undefined, processors: processors.slice(0, variation.processors) };
  }
  return {
    buildFolder: '/build',
    uid: 0,
    umask: 0o022,
    jobs: jobs.slots,
    processors,
    jobserver: jobs.jobserver,
  };
}

/** The whole environment of a step. What the request names wins. */
export function environmentOf(
  request: BuildRequest,
  { buildFolder, jobs, jobserver }: Conditions,
): Readonly<Record<string, string>> {
  return {
    PATH: '/usr/bin:/usr/sbin:/bin:/sbin',
    HOME: buildFolder,
    TMPDIR: '/tmp',
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    // 1980-01-01T00:00:00Z, the earliest time that zip archives and FAT can write.
    SOURCE_DATE_EPOCH: '315532800',
    CAIRN_JOBS: String(jobs),
    // GNU make 4.4, gcc's link-time optimisation, cargo and ninja 1.13 take their jobs from it.
    MAKEFLAGS: jobserver === undefined ? `-j${jobs}` : `-j${jobs} --jobserver-auth=fifo:${jobserverPath}`,
    ...Object.fromEntries(request.outputs.map((output) => [output, `${outputsFolder}/${output}`])),
    ...request.env,
  };
}
