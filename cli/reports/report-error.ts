// The last words about an error: message, place and what to do next for people's mistakes, a short report for bugs.
// Decides nothing about the exit status.

import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import { plainLine, plainText } from '../render/plain-text.ts';
import type { Style } from '../render/style.ts';
import { writeRecords } from '../records/write-records.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Writes the error to where it is looked for: standard error, or standard output as an object. */
export function reportError(error: unknown, status: ExitCode, { out, err, env, shared }: Context): void {
  const report = error instanceof UserError ? mistakeReport(error) : bugReport(error, env);
  if (shared.json === true) {
    writeRecords(out, [{ type: 'error', status, ...report }]);
    return;
  }
  err.lines(errorLines(report, err.style));
}

/** An error as people read it: what, where, and what to do next. */
export function errorLines({ code, message, where, hint, stack }: Report, style: Style): string[] {
  return [
    `${style.bad(style.bold(`error[${code}]`))} ${plainText(message)}`,
    ...(where === undefined ? [] : [`  ${style.accent('at')} ${plainLine(where)}`]),
    ...(hint === undefined ? [] : [`  ${style.accent('next:')} ${plainText(hint)}`]),
    ...(stack === undefined ? [] : [stack]),
  ];
}

interface Report {
  readonly code: string;
  readonly message: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly stack?: string;
}

function mistakeReport({ code, message, where, hint }: UserError): Report {
  return { code, message, where, hint };
}

function bugReport(error: unknown, env: NodeJS.ProcessEnv): Report {
  const stack = inspect(error, { depth: 4 });
  const message = error instanceof Error ? error.message : String(error);
  if (env['CAIRN_DEBUG'] === '1') return { code: 'BUG', message, where: undefined, hint: undefined, stack };
  const saved = saveStack(stack);
  return {
    code: 'BUG',
    message: `this is a fault of cairn, not yours: ${message}`,
    where: saved,
    hint: 'Report it with the command and that file. CAIRN_DEBUG=1 prints the details instead.',
  };
}

function saveStack(stack: string): string | undefined {
  const file = join(tmpdir(), `cairn-bug-${randomUUID()}.txt`);
  try {
    writeFileSync(file, `node ${process.version}, ${process.platform}-${process.arch}\n${stack}\n`, {
      mode: 0o600,
    });
    return file;
  } catch {
    // A full disk must not hide the bug itself.
    return undefined;
  }
}
