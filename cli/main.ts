#!/usr/bin/env node
// Where cairn starts and ends: streams, signals, the command line, and the exit status. The only process.exit.

import { isErrno, UserError } from '../store/base/errors.ts';
import type { Context } from './context.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { listenForSignals } from './terminal/interruption.ts';
import { streamOutput } from './terminal/output.ts';
import { runProgram } from './program.ts';

const words = process.argv.slice(2);
const out = streamOutput(process.stdout, process.env);
const err = streamOutput(process.stderr, process.env);
const leave = (code: number): never => process.exit(code);
const interruption = listenForSignals(leave);
const surroundings = { out, err, env: process.env, interruption, signal: interruption.signal };

for (const stream of [process.stdout, process.stderr]) stream.on('error', (error) => void fail(error));
process.on('uncaughtException', (error) => void fail(error));
process.on('unhandledRejection', (error) => void fail(error));

try {
  await end(await runProgram(words, surroundings));
} catch (error) {
  await fail(error);
}

async function fail(error: unknown): Promise<never> {
  if (isErrno(error, 'EPIPE')) leave(exitCodes.outputClosed);
  if (isInterruption(error)) return end(exitCodes.interrupted);
  const [{ reportError }, { asPersonsError }] = await Promise.all([
    import('./reports/report-error.ts'),
    import('./reports/persons-error.ts'),
  ]);
  const known = asPersonsError(error);
  const context: Context = { ...surroundings, shared: { json: words.includes('--json') } };
  reportError(known, context);
  return end(exitCodeOf(known));
}

// What goes wrong after Ctrl-C went wrong because of it, unless it is a bug.
function isInterruption(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return interruption.signal.aborted && (isAbort || error instanceof UserError);
}

async function end(code: ExitCode): Promise<never> {
  const isInterrupted = interruption.signal.aborted && code !== exitCodes.ok;
  if (isInterrupted) err.lines(['interrupted']);
  await out.flush();
  await err.flush();
  return leave(isInterrupted ? exitCodes.interrupted : code);
}
