// Taking a kept folder away at once and deleting it meanwhile: one may hold a hundred thousand files.

import { renameIfThere } from '../base/rename-if-there.ts';
import { removeAside } from '../upkeep/remove-aside.ts';

/** What is not deleted when this process ends goes with its session. True when there was something. */
export function discardAside(path: string, aside: string): boolean {
  if (!renameIfThere(path, aside)) return false;
  removeAside(aside).catch(() => undefined);
  return true;
}
