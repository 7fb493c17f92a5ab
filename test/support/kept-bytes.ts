// What buffers of this process take that somebody still holds: what is only waiting for the next collection of garbage is not
// counted, since nobody can tell when that comes.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export function keptBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
