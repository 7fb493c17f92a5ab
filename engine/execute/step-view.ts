// What a step sees, whoever executes it: its root, its folders, its environment. Two executors that follow this give the same
// outputs. Pure; how it is brought about (mounts, a remote worker's input root) is each executor's own business.

import type { BuildRequest } from './executor.ts';

/** Outputs are folders in here, empty at the start. */
export const outputsFolder = '/outputs';

/** Working directory and HOME of every step, user, group and umask, unless `cairn check` varies them. */
export const usualView = { buildFolder: '/build', uid: 0, umask: 0o022 } as const;

/** 1980-01-01T00:00:00Z, the earliest time that zip archives and FAT can write: how old a step's folders are when it begins. */
export const stepEpochSeconds = 315_532_800;

/** What of an executor shows in the environment. */
export interface Surroundings {
  readonly buildFolder: string;
  /** How many things to do at once, for programs that know no jobserver. */
  readonly jobs: number;
  /** Where in the step's root a jobserver's fifo is, when there is one (GNU make 4.4 manual, "POSIX Jobserver Interaction"). */
  readonly jobserver: string | undefined;
  /**
   * Where in the step's root is a list of the files among its incremental sources that changed since the last success: their
   * absolute paths, a NUL after each. Undefined when all must be taken as changed, as in every clean build.
   */
  readonly changed?: string | undefined;
  /** Where in the step's root programs are that are called in place of compilers. Undefined in every clean build. */
  readonly compilers?: string | undefined;
}

const usualPath = '/usr/bin:/usr/sbin:/bin:/sbin';

/** The whole environment of a step. What the request names wins. */
export function environmentOf(
  request: BuildRequest,
  { buildFolder, jobs, jobserver, changed, compilers }: Surroundings,
): Readonly<Record<string, string>> {
  return {
    PATH: usualPath,
    HOME: buildFolder,
    TMPDIR: '/tmp',
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    SOURCE_DATE_EPOCH: String(stepEpochSeconds),
    CAIRN_JOBS: String(jobs),
    // GNU make 4.4, gcc's link-time optimisation, cargo and ninja 1.13 take their jobs from it.
    MAKEFLAGS: jobserver === undefined ? `-j${jobs}` : `-j${jobs} --jobserver-auth=fifo:${jobserver}`,
    ...(changed !== undefined && { CAIRN_CHANGED: changed }),
    ...Object.fromEntries(request.outputs.map((output) => [output, `${outputsFolder}/${output}`])),
    ...request.env,
    ...(compilers !== undefined && { PATH: `${compilers}:${request.env['PATH'] ?? usualPath}` }),
  };
}

/**
 * Layers as they are stacked, lowest first, each once: of one that is named twice the topmost place counts, since nothing of
 * the others would show.
 */
export function stackedLayers<T extends string>(layers: readonly T[]): readonly T[] {
  return [...new Set(layers.toReversed())].reverse();
}
