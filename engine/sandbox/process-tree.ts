// What the kernel says about the processes of a sandbox, seen from outside: their memory, their time, and their end.
// proc(5).

import { constants, readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isErrno } from '../../store/base/errors.ts';
import { openFlags } from './open-flags.ts';

// Platforms are x86_64 only: pages of 4 KiB, and 100 clock ticks a second for every program.
const pageBytes = 4096;
const tickMs = 10;

/** Resident memory of a process and everything below it, in bytes. Pages that several share count for each. */
export function residentBytes(pid: number): number {
  let pages = 0;
  for (const { pid: one } of below(pid)) pages += Number(readProc(`${one}/statm`).split(' ')[1] ?? 0);
  return pages * pageBytes;
}

/**
 * How many processes and threads a sandbox has; no further than just above `most`. Lets others have their turn meanwhile, since
 * the kernel answers slowly while processes multiply.
 */
export async function countTasks(pid: number, most: number): Promise<number> {
  let count = processesInside(pid);
  if (count > most) return count;
  count = 0;
  let processes = 0;
  for (const { threads } of below(pid)) {
    count += threads.length;
    if (count > most) break;
    if (++processes % processesInTurn === 0) await new Promise(setImmediate);
  }
  return count;
}

const processesInTurn = 64;

// All of them in one list, the sandbox's own /proc: to look at each takes a time in which thousands that only multiply do not
// let this process have its turn. None while bubblewrap has not mounted it.
function processesInside(bubblewrapPid: number): number {
  const [first] = childrenOf(bubblewrapPid, threadsOf(bubblewrapPid));
  if (first === undefined) return 0;
  const proc = `/proc/${first}/root/proc`;
  return unlessShut(() => {
    if (statSync(proc).dev === statSync('/proc').dev) return 0;
    return readdirSync(proc).filter((name) => /^\d/.test(name)).length;
  }, 0);
}

/** How many processes and threads this machine has, proc_loadavg(5): at little cost, however many they are. */
export function tasksOfMachine(): number {
  return Number(/\/(\d+) /.exec(readProc('loadavg'))?.[1] ?? 0);
}

function* below(pid: number): Generator<{ readonly pid: number; readonly threads: readonly string[] }> {
  const pids = [pid];
  for (let next = pids.pop(); next !== undefined; next = pids.pop()) {
    const threads = threadsOf(next);
    yield { pid: next, threads };
    pids.push(...childrenOf(next, threads));
  }
}

/**
 * Ends a sandbox at once. Killing the first process of a pid namespace kills all others in it, and only when they are
 * gone does bubblewrap, which waits for it, end as well; so bubblewrap itself is killed only while it has no child. It is
 * stopped meanwhile, lest it make one after that was looked at; a signal is only sent when kill(2) is back, so its stop is
 * waited for.
 * @param isThere false as soon as the process has ended, when its number may be another's
 */
export async function killSandbox(bubblewrapPid: number, isThere: () => boolean): Promise<void> {
  sendSignal(bubblewrapPid, 'SIGSTOP');
  for (let tries = 0; isOnItsWay(bubblewrapPid) && tries < stopTries; tries++) await setTimeout(1);
  if (!isThere()) return;
  const children = childrenOf(bubblewrapPid, threadsOf(bubblewrapPid));
  for (const pid of children.length > 0 ? children : [bubblewrapPid]) killProcess(pid);
  sendSignal(bubblewrapPid, 'SIGCONT');
}

// Some 100 ms: what does not stop for so long waits in the kernel, and makes no child there.
const stopTries = 100;

// Neither stopped nor ended, proc_pid_stat(5).
function isOnItsWay(pid: number): boolean {
  const state = statFields(pid)[0];
  return state !== undefined && !'tTZX'.includes(state);
}

/** Ends one process, if it is still there. */
export function killProcess(pid: number): void {
  sendSignal(pid, 'SIGKILL');
}

/**
 * Ends every process but this one that has a fifo open to write to it, and says whether there was one. Of a sandbox whose
 * first process was killed while it was set up, this finds what nothing else leads to any more: a child that waits for a word
 * of its parent.
 */
export function killWriters(fifo: string): boolean {
  const found = statSync(fifo, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const writers = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      descriptorsOf(pid).some((one) => isFile(`/proc/${pid}/fd/${one}`, found) && isWriting(pid, one)),
    );
  for (const pid of writers) killProcess(Number(pid));
  return writers.length > 0;
}

function descriptorsOf(pid: string): readonly string[] {
  return unlessShut(() => readdirSync(`/proc/${pid}/fd`), []);
}

function isFile(path: string, { dev, ino }: Stats): boolean {
  const stats = unlessShut(() => statSync(path), undefined);
  return stats?.dev === dev && stats.ino === ino;
}

function isWriting(pid: string, descriptor: string): boolean {
  const flags = unlessShut(() => openFlags(pid, descriptor), undefined) ?? constants.O_RDONLY;
  return (flags & accessMode) !== constants.O_RDONLY;
}

/** O_ACCMODE, open(2). */
const accessMode = 0o3;

/** Processor time of all children of a process that have ended, with their descendants, in milliseconds. */
export function endedChildrenCpuMs(pid: number): number {
  // cutime and cstime are the 16th and 17th.
  const { 13: user, 14: system } = statFields(pid);
  return (Number(user ?? 0) + Number(system ?? 0)) * tickMs;
}

// From the third on, which is the state: the second is the program's name in brackets, and may hold anything. None of a
// process that is gone.
function statFields(pid: number): readonly string[] {
  const stat = readProc(`${pid}/stat`);
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function childrenOf(pid: number, threads: readonly string[]): number[] {
  return threads.flatMap((thread) =>
    readProc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function threadsOf(pid: number): string[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/task`), []);
}

function readProc(path: string): string {
  return unlessGone(() => readFileSync(`/proc/${path}`, 'latin1'), '');
}

// Processes end while they are looked at.
const gone = ['ENOENT', 'ESRCH'];

function unlessGone<T>(read: () => T, otherwise: T): T {
  return unlessErrno(gone, read, otherwise);
}

// The same of what only whoever may trace a process sees, proc(5).
function unlessShut<T>(read: () => T, otherwise: T): T {
  return unlessErrno([...gone, 'EACCES'], read, otherwise);
}

function unlessErrno<T>(codes: readonly string[], read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, ...codes)) return otherwise;
    throw error;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
