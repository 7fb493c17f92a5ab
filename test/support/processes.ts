// Which processes there are, for tests that claim none is left.

import { readdirSync, readFileSync } from 'node:fs';

/** Ids of this machine's processes with `text` in their command line. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(text))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** The id of a process's parent. */
export function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Ids of what a process started, and of what that started. */
export function startedBy(pid: number): number[] {
  const parents = new Map(processesWith('').map((one) => [one, parentIfThere(one)]));
  const below = (top: number): number[] => {
    const own = [...parents].filter(([, parent]) => parent === top).map(([one]) => one);
    return [...own, ...own.flatMap(below)];
  };
  return below(pid);
}

function parentIfThere(pid: number): number | undefined {
  try {
    return parentOf(pid);
  } catch {
    // It has ended since.
    return undefined;
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended since.
    return '';
  }
}
