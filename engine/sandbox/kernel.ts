// What this kernel's settings say about unprivileged user namespaces. Reads /proc only.

import { readFileSync } from 'node:fs';
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

function setting(path: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return undefined;
    throw error;
  }
}
