// What the program of attend.c is told to do, as the text it reads: one order a line, its fields apart by blanks. Pure.

import type { Shown } from '../sandbox/guise.ts';
import type { ResourceLimit } from '../sandbox/resource-limits.ts';
import type { ShownFolder } from '../sandbox/work-folder.ts';

export interface Orders {
  /** To be made, a folder before those in it. */
  readonly folders: readonly ShownFolder[];
  /** Those of them that begin with this age. */
  readonly aged: { readonly paths: readonly string[]; readonly seconds: number };
  /** Links to files that are shown in place of a machine's, where it has one; by the name of each in its own folder. */
  readonly masks: readonly (Shown['masks'][number] & { readonly link: string; readonly target: string })[];
  readonly limits: readonly ResourceLimit[];
  readonly umask: number;
  /** How long it may take, how long it may say nothing, and how much it may say. */
  readonly most: { readonly seconds: number; readonly silentSeconds: number; readonly logBytes: number };
  /** Folders whose content is taken. */
  readonly outputs: readonly string[];
  /** What is removed in the end, whatever is in it. */
  readonly cleared: readonly string[];
}

export function ordersText({ folders, aged, masks, limits, umask, most, outputs, cleared }: Orders): string {
  return [
    ...folders.map(({ path, mode }) => `f ${path} ${mode.toString(8)}`),
    ...aged.paths.map((path) => `t ${path} ${aged.seconds}`),
    ...masks.map(({ link, target, path }) => `m ${link} ${target} ${path}`),
    ...limits.map(({ number, soft, hard }) => `l ${number} ${soft} ${hard}`),
    `u ${umask.toString(8)}`,
    `w ${Math.ceil(most.seconds * 1000)}`,
    `s ${Math.ceil(most.silentSeconds * 1000)}`,
    `b ${most.logBytes}`,
    ...outputs.map((path) => `o ${path}`),
    ...cleared.map((path) => `c ${path}`),
  ]
    .map((order) => `${order}\n`)
    .join('');
}
