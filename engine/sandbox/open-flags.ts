// What a descriptor of a process was opened with, from what the kernel says of it: proc_pid_fdinfo(5).

import { readFileSync } from 'node:fs';

/** The flags of open(2); undefined where nothing is said of them. @throws the system's error when it cannot be read */
export function openFlags(pid: string, descriptor: number | string): number | undefined {
  const info = readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, 'latin1');
  const octal = /^flags:\s*([0-7]+)$/m.exec(info)?.[1];
  return octal === undefined ? undefined : parseInt(octal, 8);
}
