// A machine that is ready, started, until it ends: with its console on this terminal, or read by cairn for what is awaited.

import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import { writeRecords } from '../records/write-records.ts';
import { plainText } from '../render/plain-text.ts';
import { formatDuration } from '../render/units.ts';
import { endInTime, endOf, startMachine, type ProcessEnd } from './emulator.ts';
import { expectOnConsole, type Expectation, type Verdict } from './expect.ts';
import type { ReadyMachine } from './ready-machine.ts';

/**
 * Runs it on this process's terminal, which is the machine's own meanwhile: Ctrl-C is for whoever is logged in there.
 * Ends it when `signal` comes.
 */
export async function runOnTerminal(
  { interruption }: Pick<Context, 'interruption'>,
  { emulator, argv, devices }: ReadyMachine,
  signal: AbortSignal,
): Promise<ProcessEnd> {
  return interruption.holdDuring(async () => {
    const stdio = ['inherit', 'inherit', 'inherit'] as const;
    const child = await startMachine(emulator, { argv, devices, stdio });
    const ended = endOf(child);
    const stop = (): void => void endInTime(child, ended);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return ended.finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * Runs it until its console has said everything that is awaited, and ends it then. Nothing is read from this terminal.
 * The console goes to standard output as it comes.
 * @throws UserError `EXPECT_FAILED` with the console's end when something was not said.
 */
export async function runUntilSaid(
  context: Pick<Context, 'out' | 'err' | 'shared'>,
  { emulator, argv, devices }: ReadyMachine,
  { signal, ...expectation }: Expectation & { readonly signal: AbortSignal },
): Promise<void> {
  const { out, err } = context;
  const isForMachines = context.shared.json === true;
  const child = await startMachine(emulator, { argv, devices, stdio: ['ignore', 'pipe', 'pipe'] });
  let isAtLineStart = true;
  const verdict = await expectOnConsole(child, expectation, {
    signal,
    onText(text) {
      if (text === '') return;
      if (isForMachines) writeRecords(out, [{ type: 'console', text }]);
      else out.write(text);
      isAtLineStart = text.endsWith('\n');
    },
    onSaid(text, elapsedMs) {
      if (isForMachines) writeRecords(out, [{ type: 'said', text, elapsedMs: Math.round(elapsedMs) }]);
    },
  }).finally(() => {
    if (!isAtLineStart && !isForMachines) out.write('\n');
  });
  if (verdict.kind === 'not-said') throw notSaid(verdict);
  if (!isForMachines)
    err.write(`said after ${formatDuration(verdict.elapsedMs)}: ${quoted(expectation.texts)}\n`);
}

function notSaid({ missing, because, lastLines }: Extract<Verdict, { kind: 'not-said' }>): UserError {
  const end = lastLines.length === 0 ? 'It said nothing.' : `It said last:\n${lastLines.join('\n')}`;
  return new UserError('EXPECT_FAILED', `the console did not say ${quoted(missing)}: ${because}. ${end}`, {
    hint: 'Wait longer with --timeout, or look at the machine without --expect.',
  });
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(plainText(text))).join(', ');
}
