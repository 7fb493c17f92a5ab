// Worker thread: removes the folder it is started with, below the priority of others: a build that runs beside is not to
// wait for it, and it gets its turn all the same. Linux gives each thread a priority of its own (setpriority(2)), so the
// rest of the process keeps its.

import { constants, getPriority, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { removeTree } from '../base/remove-tree.ts';

stepAside();
removeTree(workerData as string);

// Who was started below it already stays there: an ordinary user may not raise a priority again.
function stepAside(): void {
  const { PRIORITY_BELOW_NORMAL: below } = constants.priority;
  if (getPriority() < below) setPriority(below);
}
