// What of a path is there already: what stands for a folder that is still to be made.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** The path itself where something is there that may be looked at, else the nearest folder above it. */
export function existingParent(path: string): string {
  let found = path;
  while (!existsSync(found) && dirname(found) !== found) found = dirname(found);
  return found;
}
