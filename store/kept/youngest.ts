// How young the youngest of what a step left is. Looks at everything in the folders, which are small beside the sources.

import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isErrno } from '../base/errors.ts';

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/** In milliseconds since 1970, rounded up; what cannot be looked into does not count. */
export async function youngestIn(top: string): Promise<number> {
  let newestMs = 0;
  let looks = 0;
  const pending = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    newestMs = Math.max(newestMs, timeOf(folder));
    for (const entry of entriesOf(folder)) {
      if (++looks % entriesATurn === 0) await setImmediate();
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      else newestMs = Math.max(newestMs, timeOf(path));
    }
  }
  return Math.ceil(newestMs);
}

function timeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ENAMETOOLONG')) return [];
    throw error;
  }
}
