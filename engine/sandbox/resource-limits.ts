// The limits that the kernel holds every process of a step to, setrlimit(2): the same on every machine, as far as a process
// may set them. Reads this process's own, since only what lies within them can be set.

import { readFileSync } from 'node:fs';
import { tasksCountedBy } from './kernel.ts';
import { mostTasks } from './limits.ts';
import type { Holds, Limit } from './preamble.ts';

/** In asm-generic/resource.h, where processes and threads are RLIMIT_NPROC. */
const tasks = 6;

/**
 * Processes and threads that the kernel lets a step have, where it counts a step's by themselves. It is a wall for what
 * multiplies faster than can be counted (limits.ts): a part of the 32,768 numbers that a small machine has for all. Above what a
 * step may have, because the kernel only refuses, which a step may take for anything; the same on all but the largest machines.
 */
export const mostTasksInKernel = Math.max(4096, mostTasks + 512);

const unlimited = 2n ** 64n - 1n;
const mebibyte = 2n ** 20n;

/** Of one resource, by its number in asm-generic/resource.h. */
export interface ResourceLimit extends Limit {
  readonly number: number;
}

interface Resource extends ResourceLimit {
  /** In /proc/self/limits. */
  readonly shown: string;
}

/**
 * What hardly a program notices, and on which machines differ: memory that may be locked and signals that may wait follow
 * from a machine's size, open files and core dumps from who set it up. The stack may grow, because compilers raise it.
 */
const resources: readonly Resource[] = [
  { number: 0, shown: 'cpu time', soft: unlimited, hard: unlimited },
  { number: 1, shown: 'file size', soft: unlimited, hard: unlimited },
  { number: 2, shown: 'data size', soft: unlimited, hard: unlimited },
  { number: 3, shown: 'stack size', soft: 8n * mebibyte, hard: unlimited },
  { number: 4, shown: 'core file size', soft: 0n, hard: 0n },
  { number: 5, shown: 'resident set', soft: unlimited, hard: unlimited },
  // Where the kernel counts all that this user runs on the machine; see also `mostTasksInKernel`.
  { number: tasks, shown: 'processes', soft: 32_768n, hard: 32_768n },
  { number: 7, shown: 'open files', soft: 1024n, hard: 4096n },
  { number: 8, shown: 'locked memory', soft: mebibyte / 16n, hard: mebibyte / 16n },
  { number: 9, shown: 'address space', soft: unlimited, hard: unlimited },
  { number: 10, shown: 'file locks', soft: unlimited, hard: unlimited },
  { number: 11, shown: 'pending signals', soft: 4096n, hard: 4096n },
  { number: 12, shown: 'msgqueue size', soft: 819_200n, hard: 819_200n },
  { number: 13, shown: 'nice priority', soft: 0n, hard: 0n },
  { number: 14, shown: 'realtime priority', soft: 0n, hard: 0n },
  { number: 15, shown: 'realtime timeout', soft: unlimited, hard: unlimited },
];

/** What steps are held to on every machine that lets them. */
export const usualResourceLimits: readonly ResourceLimit[] = resources;

/** What every process of a step is held to, and what a step is as a whole where the kernel can count that. */
export function stepLimits(
  own = readFileSync('/proc/self/limits', 'latin1'),
  countedBy = tasksCountedBy(),
): Pick<Holds, 'limits' | 'ownCount'> {
  const limits = resourceLimits(own);
  const all = limits.get(tasks)!;
  const wall = BigInt(mostTasksInKernel);
  const most = { soft: least(all.soft, wall), hard: least(all.hard, wall) };
  switch (countedBy) {
    case 'namespace':
      return { limits, ownCount: { most, uid: process.geteuid!(), gid: process.getegid!() } };
    case 'nobody':
      // It holds nobody, and a step is shown what it is shown everywhere.
      return { limits: limits.set(tasks, most), ownCount: undefined };
    case 'user':
      return { limits, ownCount: undefined };
  }
}

// By the resource's number. Where this process itself is held to less, that.
function resourceLimits(own: string): Map<number, Limit> {
  return new Map(
    resources.map(({ number, shown, soft, hard }) => {
      const most = least(hard, hardLimit(own, shown));
      return [number, { soft: least(soft, most), hard: most }];
    }),
  );
}

// "Max open files            1024                 4096                 files", proc(5).
function hardLimit(text: string, shown: string): bigint {
  const value = new RegExp(`^Max ${shown} +\\S+ +(\\S+)`, 'm').exec(text)?.[1];
  return value === undefined || value === 'unlimited' ? unlimited : BigInt(value);
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
