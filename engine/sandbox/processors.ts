// Which processors of this machine this process may use, sched_getaffinity(2).

import { readFileSync } from 'node:fs';
import { bug } from '../../store/base/errors.ts';

/** Their numbers, rising. */
export function allowedProcessors(status = readFileSync('/proc/self/status', 'latin1')): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? bug('no list of allowed processors');
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, at) => first! + at);
  });
}
