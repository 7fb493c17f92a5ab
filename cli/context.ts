// What every command is given: where to write, when to stop, and the options that all commands share.

import type { Interruption } from './terminal/interruption.ts';
import type { Output } from './terminal/output.ts';

export interface Context {
  readonly out: Output;
  readonly err: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly interruption: Interruption;
  /** Aborted by Ctrl-C: start nothing more and end what runs. */
  readonly signal: AbortSignal;
  readonly shared: SharedFlags;
}

/** Options of `cairn` itself. */
export interface SharedFlags {
  /** The store's folder, when not the usual one. */
  readonly store?: string;
  /** The config, when not the one found in this folder or above it. */
  readonly config?: string;
  /** Write one JSON object a line to standard output, errors included. */
  readonly json?: boolean;
  /** Folders that stand for inputs, as they were typed: `INPUT=FOLDER`. */
  readonly override?: readonly string[];
  /** False to evaluate the config even if nothing has changed. */
  readonly evalCache?: boolean;
}
