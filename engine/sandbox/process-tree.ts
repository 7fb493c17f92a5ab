// What the kernel says about the processes of a sandbox, seen from outside: their memory, their time, and their end.
// proc(5).

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isErrno } from '../../store/base/errors.ts';

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
  try {
    if (statSync(proc).dev === statSync('/proc').dev) return 0;
    return readdirSync(proc).filter((name) => /^\d/.test(name)).length;
  } catch (error) {
    if (isErrno(error, ...gone, 'EACCES')) return 0;
    throw error;
  }
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
 * stopped meanwhile, lest it make one after that was looked at.
 */
export function killSandbox(bubblewrapPid: number): void {
  sendSignal(bubblewrapPid, 'SIGSTOP');
  const children = childrenOf(bubblewrapPid, threadsOf(bubblewrapPid));
  for (const pid of children.length > 0 ? children : [bubblewrapPid]) killProcess(pid);
  sendSignal(bubblewrapPid, 'SIGCONT');
}

/** Ends one process, if it is still there. */
export function killProcess(pid: number): void {
  sendSignal(pid, 'SIGKILL');
}

/** Processor time of all children of a process that have ended, with their descendants, in milliseconds. */
export function endedChildrenCpuMs(pid: number): number {
  const stat = readProc(`${pid}/stat`);
  if (stat === '') return 0;
  // The second field is the program's name in brackets, and may hold anything. cutime and cstime are the 16th and 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * tickMs;
}

function childrenOf(pid: number, threads: readonly string[]): number[] {
  return threads.flatMap((thread) =>
    readProc(`${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isErrno(error, ...gone)) return [];
    throw error;
  }
}

// Processes end while they are looked at.
const gone = ['ENOENT', 'ESRCH'];

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch (error) {
    if (isErrno(error, ...gone)) return '';
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
