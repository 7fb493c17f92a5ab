// What is known of a command that was done by somebody else's worker. Types only.

/** Where a command was done that was not done here, and where its time went as the server says, in milliseconds. */
export interface RemoteRun {
  readonly executor: string;
  /** The worker's name, where servers tell. */
  readonly worker: string | undefined;
  readonly queuedMs: number | undefined;
  readonly fetchedMs: number | undefined;
  readonly executedMs: number | undefined;
  readonly uploadedMs: number | undefined;
  /** What of its outputs stayed there. */
  readonly left: LeftThere;
}

/** Files that nobody here has needed yet. */
export interface LeftThere {
  readonly files: number;
  readonly sizeBytes: number;
}
