// Every exit status of cairn in one table, and which error leads to which. Knows nothing of how errors are printed.

import { isErrno, UserError } from '../store/base/errors.ts';

/** What the process's exit status can be. Scripts match these numbers: never change one, only add. */
export const exitCodes = {
  ok: 0,
  buildFailed: 1,
  usage: 2,
  partial: 3,
  notReproducible: 4,
  open: 5,
  storeCorrupt: 20,
  bug: 70,
  hungUp: 129,
  interrupted: 130,
  outputClosed: 141,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The same table for people: help texts and the README take their lines from here. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'a build failed, or something else went wrong',
  2: 'wrong usage: an unknown command, option or output, or a mistake in the config',
  3: 'some outputs were built and some were not (--keep-going)',
  4: 'not reproducible: building again gave something else',
  5: 'an audit found something open',
  20: 'the store is damaged',
  70: 'a bug in cairn',
  129: 'ended because its terminal went away (SIGHUP)',
  130: 'interrupted (Ctrl-C, SIGINT)',
  141: 'whoever read the output went away',
  143: 'ended by a supervisor (SIGTERM)',
};

const usageErrors: ReadonlySet<string> = new Set([
  'CONFIG_IMPURE',
  'CONFIG_INVALID',
  'CONFIG_MISSING',
  'DERIVATION_INVALID',
  'EXECUTOR_INVALID',
  'FILE_EXISTS',
  'GRAPH_CYCLE',
  'INPUT_IS_FOLDER',
  'INPUT_UNKNOWN',
  'LOCK_INVALID',
  'LOCK_MISSING_PIN',
  'PATH_INVALID',
  'SOURCE_MISSING',
  'TARGET_UNKNOWN',
  'USAGE',
]);

/** The exit status for an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isErrno(error, 'EPIPE')) return exitCodes.outputClosed;
  if (!(error instanceof UserError)) return exitCodes.bug;
  if (error.code === 'STORE_CORRUPT' || error.code === 'STORE_MISSING_BLOB') return exitCodes.storeCorrupt;
  return usageErrors.has(error.code) ? exitCodes.usage : exitCodes.buildFailed;
}
