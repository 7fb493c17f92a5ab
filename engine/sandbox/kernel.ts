// What this kernel says about user namespaces: whether they may be made, and what it counts by them. Reads /proc only.

import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { isErrno } from '../../store/base/errors.ts';

/** True when AppArmor lets only programs with a profile of their own use user namespaces (Ubuntu 23.10 and newer). */
export function restrictsUserNamespaces(): boolean {
  return process.getuid?.() !== 0 && setting('kernel/apparmor_restrict_unprivileged_userns') === '1';
}

/** Why user namespaces are switched off for this user as a whole, as the setting's name and value, or undefined. */
export function disabledUserNamespaces(): string | undefined {
  if (setting('user/max_user_namespaces') === '0') return 'user.max_user_namespaces=0';
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && setting('kernel/unprivileged_userns_clone') === '0')
    return 'kernel.unprivileged_userns_clone=0';
  return undefined;
}

/**
 * Whom the kernel holds to a limit of processes: those of a user namespace that we can make, all that a user runs on the
 * machine, or, for the machine's root, nobody.
 */
export function tasksCountedBy(): 'namespace' | 'user' | 'nobody' {
  if (isRootOfMachine()) return 'nobody';
  return countsByNamespace() && !restrictsUserNamespaces() ? 'namespace' : 'user';
}

/** True for Linux 5.14 and newer. */
export function countsByNamespace(kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => parseInt(part, 10));
  return major > 5 || (major === 5 && minor >= 14);
}

// Root of a container's user namespace is somebody else outside.
function isRootOfMachine(): boolean {
  return process.geteuid?.() === 0 && /^\s*0\s+0\s/.test(readFileSync('/proc/self/uid_map', 'latin1'));
}

function setting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
