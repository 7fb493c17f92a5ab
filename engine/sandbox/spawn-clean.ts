// Starting a process so that it inherits nothing but what it is given. Knows nothing of what it is.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { isErrno } from '../../store/base/errors.ts';
import { openFlags } from './open-flags.ts';

/** What becomes descriptor 0, 1, 2 … of the new process; a number is one of this process's. */
export type Descriptor = 'ignore' | 'inherit' | 'pipe' | 'ipc' | number;

export interface CleanSpawnOptions {
  readonly stdio: readonly Descriptor[];
  /** In a session of its own, where this terminal's Ctrl-C does not reach it. */
  readonly isDetached: boolean;
}

/** Starts a process with an empty environment and no descriptors but `stdio`. */
export function spawnClean(command: readonly string[], options: CleanSpawnOptions): ChildProcess {
  const [program, ...args] = command;
  const nothing = openSync('/dev/null', 'r');
  try {
    return spawn(program!, args, {
      stdio: covered(options.stdio, nothing),
      env: {},
      cwd: '/',
      detached: options.isDetached,
    });
  } catch (error) {
    throw isErrno(error, 'EINVAL') ? tooManyOpen(error) : error;
  } finally {
    closeSync(nothing);
  }
}

// The new process has no number left for a descriptor to be put aside at.
function tooManyOpen(cause: NodeJS.ErrnoException): Error {
  return Object.assign(new Error(`too many open files: ${cause.message}`, { cause }), { code: 'EMFILE' });
}

// Files that native code has opened without O_CLOEXEC, such as the store's database, would stay open in the new
// process, and in a sandbox a hostile step could write to them. They are covered with an open /dev/null.
function covered(stdio: readonly Descriptor[], nothing: number): (Descriptor | number)[] {
  const all: (Descriptor | number)[] = [...stdio];
  for (const inherited of inheritedDescriptors()) {
    if (inherited < stdio.length) continue;
    while (all.length < inherited) all.push('ignore');
    all[inherited] = nothing;
  }
  return all;
}

function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd').map(Number).filter(isInherited);
}

/** O_CLOEXEC, open(2). */
const closedOnExec = 0o2000000;

function isInherited(descriptor: number): boolean {
  try {
    const flags = openFlags('self', descriptor);
    return flags !== undefined && (flags & closedOnExec) === 0;
  } catch (error) {
    // The descriptor that listed them all is closed by now.
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
