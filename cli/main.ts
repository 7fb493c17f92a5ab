#!/usr/bin/env node
// Where cairn starts and ends: streams, signals, the command line, and the exit status. The only process.exit.

import { isErrno, UserError } from '../store/base/errors.ts';
import type { Context } from './context.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { listenForSignals } from './terminal/interruption.ts';
import { asPersonsError } from './reports/persons-error.ts';
import { streamOutput } from './terminal/output.ts';
import { runProgram } from './program.ts';

const words = process.argv.slice(2);
const isForMachines = words.includes('--json');
const leave = (code: number): never => process.exit(code);
const interruption = listenForSignals(leave);
const out = streamOutput({ name: 'standard output', stream: process.stdout }, process.env, onUnwritable);
const err = streamOutput({ name: 'standard error', stream: process.stderr }, process.env, onUnwritable);
const surroundings = { out, err, env: process.env, interruption, signal: interruption.signal };

// Should nothing be left to wait for before the end is reached.
interruption.signal.addEventListener('abort', () => (process.exitCode = interruption.exitCode() ?? 1));
let failing: Promise<never> | undefined;
process.on('uncaughtException', failOnce);
process.on('unhandledRejection', failOnce);

try {
  const code = await runProgram(words, surroundings);
  await (failing ?? end(code));
} catch (error) {
  failOnce(error);
  await failing;
}

// What goes wrong first is what is told, and what the status says: whatever follows may have come of it.
function failOnce(error: unknown): void {
  failing ??= fail(error);
}

// Nobody wants the rest of it. Whoever hung up took the terminal along.
function onUnwritable(error: Error): void {
  if (isErrno(error, 'EPIPE')) leave(interruption.exitCode() ?? exitCodes.outputClosed);
  interruption.giveUp(error);
}

async function fail(error: unknown): Promise<never> {
  if (isErrno(error, 'EPIPE')) leave(exitCodes.outputClosed);
  if (isInterruption(error)) return end(exitCodes.interrupted);
  const known = asPersonsError(error);
  // A command opens its store before it does anything.
  if (known instanceof UserError && known.code === 'STORE_NUMBER_TAKEN') {
    const { canStartAgain, startAgain } = await import('./start-again.ts');
    if (canStartAgain(process.env)) return leave(await startAgain(process.env));
  }
  const code = exitCodeOf(known);
  try {
    await report(known, code);
  } catch {
    // Not even what reports can be loaded, for want of descriptors perhaps.
    const { code: name, message } = known as { readonly code?: unknown; readonly message?: unknown };
    err.lines([`error[${String(name)}] ${String(message)}`]);
  }
  return end(code);
}

// What goes wrong after Ctrl-C, or after the output was lost, went wrong because of it, unless it is a bug.
function isInterruption(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return interruption.signal.aborted && (isAbort || error instanceof UserError);
}

async function report(error: unknown, code: ExitCode, json = isForMachines): Promise<void> {
  const { reportError } = await import('./reports/report-error.ts');
  const context: Context = { ...surroundings, shared: { json } };
  reportError(error, statusAfterSignal(code) ?? code, context);
}

async function end(code: ExitCode): Promise<never> {
  const interrupted = statusAfterSignal(code);
  if (interrupted !== undefined) await tellInterruption(interrupted);
  const lost = (await lossOf(out)) ?? (await lossOf(err));
  if (lost !== undefined && interrupted === undefined) {
    // Standard error is what is left to say it on; when that is what was lost, the status says it alone.
    const status = code === exitCodes.ok || code === exitCodes.interrupted ? exitCodeOf(lost) : code;
    await report(lost, status, false);
    await lossOf(err);
    return leave(status);
  }
  return leave(interrupted ?? code);
}

// What was done nevertheless is done, and no signal makes a bug none.
function statusAfterSignal(code: ExitCode): ExitCode | undefined {
  return code === exitCodes.ok || code === exitCodes.bug ? undefined : interruption.exitCode();
}

async function tellInterruption(status: ExitCode): Promise<void> {
  if (isForMachines) {
    const { writeRecords } = await import('./records/write-records.ts');
    writeRecords(out, [{ type: 'error', status, code: 'INTERRUPTED', message: 'interrupted' }]);
  } else err.lines(['interrupted']);
}

/** What could not be written; undefined when all of it has left. */
async function lossOf(output: typeof out): Promise<unknown> {
  try {
    await output.flush();
    return undefined;
  } catch (error) {
    return error;
  }
}
