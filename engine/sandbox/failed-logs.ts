// Logs of failed steps, as files of a folder that keeps the newest: each named for its step, and beside it where that was done. Knows
// nothing of how a log comes about.

import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import type { DoneElsewhere } from '../../store/index.ts';
import { newestFirst } from './retention.ts';

export interface FailedLog {
  readonly path: string;
  /** Undefined where that is not known. */
  readonly place: 'here' | DoneElsewhere | undefined;
}

const keptLogs = 100;
const ending = '.log';

/** A file for a log of the step with this name; nothing else has that. */
export function newLogPath(folder: string, name: string): string {
  return join(folder, `${name}-${randomBytes(6).toString('hex')}${ending}`);
}

/** Notes where the step failed, not given: here. The oldest logs go for it. */
export function keepFailedLog(folder: string, path: string, elsewhere: DoneElsewhere | undefined): void {
  notePlace(path, elsewhere);
  for (const old of logsIn(folder).slice(keptLogs)) {
    rmSync(placeNote(old), { force: true });
    rmSync(old, { force: true });
  }
}

/** The newest one of the steps with this name. */
export function lastFailedLog(storePath: string, name: string): FailedLog | undefined {
  const path = logsIn(join(storePath, 'logs')).find((each) => isLogOf(name, basename(each)));
  return path === undefined ? undefined : { path, place: placeIn(placeNote(path)) };
}

function logsIn(folder: string): string[] {
  return newestFirst(folder).filter((path) => path.endsWith(ending));
}

function isLogOf(name: string, file: string): boolean {
  return file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.log$/.test(file.slice(name.length + 1));
}

function placeNote(path: string): string {
  return `${path.slice(0, -ending.length)}.json`;
}

// On a full disk the log is worth more than where it comes from.
function notePlace(path: string, elsewhere: DoneElsewhere | undefined): void {
  try {
    writeFileSync(placeNote(path), JSON.stringify({ elsewhere }));
  } catch (error) {
    if (!isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
    rmSync(placeNote(path), { force: true });
  }
}

// A machine that lost its power may have written half of it, and before there were any none was written.
function placeIn(note: string): FailedLog['place'] {
  try {
    const noted = JSON.parse(readFileSync(note, 'utf8')) as { readonly elsewhere?: unknown } | null;
    if (typeof noted !== 'object' || noted === null) return undefined;
    return noted.elsewhere === undefined ? 'here' : checkedPlace(noted.elsewhere);
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function checkedPlace(noted: unknown): DoneElsewhere | undefined {
  if (typeof noted !== 'object' || noted === null) return undefined;
  const { executor, worker, queuedMs, fetchedMs, executedMs, uploadedMs } = noted as Partial<DoneElsewhere>;
  const times = { queuedMs, fetchedMs, executedMs, uploadedMs };
  const isPlace =
    typeof executor === 'string' &&
    (worker === undefined || typeof worker === 'string') &&
    Object.values(times).every((ms) => ms === undefined || (typeof ms === 'number' && ms >= 0));
  return isPlace ? { executor, worker, ...times } : undefined;
}
