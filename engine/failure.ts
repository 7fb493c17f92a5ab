// The border between exceptions and outcomes: a UserError met while doing a step is that step's failure. Pure.

import { isErrno, UserError } from '../store/base/errors.ts';
import type { Failed, FailureReason } from './events.ts';

/** The failure a person's mistake or an unfit environment means for a step; anything else is rethrown as the bug it is. */
export function failedBecause(error: unknown, durationMs = 0): Failed {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return failed(
      { kind: 'disk-full' },
      'DISK_FULL',
      'the disk is full',
      'Free some room, for example with `cairn store gc`.',
      durationMs,
    );
  }
  if (!(error instanceof UserError)) throw error;
  const reason: FailureReason = error.code === 'DISK_FULL' ? { kind: 'disk-full' } : { kind: 'input' };
  return failed(reason, error.code, error.message, error.hint, durationMs);
}

function failed(
  reason: FailureReason,
  code: string,
  message: string,
  hint: string | undefined,
  durationMs: number,
): Failed {
  return {
    kind: 'failed',
    durationMs,
    failure: { reason, code, message, hint, logTail: [], logFile: undefined, keptFolder: undefined },
  };
}
