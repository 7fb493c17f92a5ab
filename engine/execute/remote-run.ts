// What is known of a command that was done by somebody else's worker. Types only.

import type { DoneElsewhere } from '../../store/index.ts';

/** Where a command was done that was not done here, and what came of it. */
export interface RemoteRun extends DoneElsewhere {
  /** What of its outputs stayed there. */
  readonly left: LeftThere;
}

/** Files that nobody here has needed yet. */
export interface LeftThere {
  readonly files: number;
  readonly sizeBytes: number;
}
