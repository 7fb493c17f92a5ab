// Makes the kernel look at the partition table that is on a device now; where udev runs, it does so by itself.

import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

const attempts = 5;
const pauseMs = 300;

/**
 * False when the kernel still has the old table: somebody uses a partition of it, or this machine has no `blockdev`
 * (util-linux). Only an ioctl can ask for it, which Node does not make.
 */
export async function rereadTable(path: string): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    // Whoever looks at new devices opens them for a moment.
    if (attempt > 0) await setTimeout(pauseMs);
    try {
      const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
      await promisify(execFile)('blockdev', ['--rereadpt', path], { env });
      return true;
    } catch {
      continue;
    }
  }
  return false;
}
