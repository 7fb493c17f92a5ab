// Who holds something: one process of one machine since its last start. Tells whether that process still lives.

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isErrno } from '../base/errors.ts';

/** A process, told apart from every other that had or will have its id. */
export interface Owner {
  readonly pid: number;
  /** Its start, in clock ticks since the machine's (proc(5), /proc/pid/stat, field 22). */
  readonly startTicks: string;
  /** Differs after every start of the machine, and between machines. */
  readonly bootId: string;
  /** The process id namespace, since in another one the id means another process. */
  readonly pidNamespace: string;
  readonly host: string;
}

let self: Owner | undefined;

/** This process. */
export function thisProcess(): Owner {
  self ??= {
    pid: process.pid,
    startTicks: startTicks('self') ?? '0',
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pidNamespace: readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''),
    host: hostname(),
  };
  return self;
}

/** False when the process has surely ended. One in another pid namespace of this machine cannot be seen: it counts as alive. */
export function isAlive(owner: Owner): boolean {
  const me = thisProcess();
  if (owner.bootId !== me.bootId) return false;
  if (owner.pidNamespace !== me.pidNamespace) return true;
  return startTicks(String(owner.pid)) === owner.startTicks;
}

/** `process 1234 on HOST`, for people. */
export function describeOwner(owner: Owner): string {
  return `process ${owner.pid} on ${owner.host}`;
}

/** One line without a slash, so that a folder's name can carry it. The host is left out: it is for people only. */
export function formatOwner(owner: Owner): string {
  return [owner.pid, owner.startTicks, owner.pidNamespace, owner.bootId].join('_');
}

export function parseOwner(text: string): Owner | undefined {
  const match = /^(\d+)_(\d+)_(\d+)_([0-9a-f-]{36})$/.exec(text);
  if (match === null) return undefined;
  const [, pid, startTicks, pidNamespace, bootId] = match;
  return {
    pid: Number(pid),
    startTicks: startTicks!,
    pidNamespace: pidNamespace!,
    bootId: bootId!,
    host: hostname(),
  };
}

function startTicks(process: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold anything; counting starts behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
