// A command that an executor says has failed, as the failure of its step.

import type { Failed } from '../events.ts';
import type { ExecuteResult } from '../execute/executor.ts';
import { hintForReason } from '../sandbox/verdict.ts';
import { stepRef, type Step } from '../step.ts';

/** The outcome, with a way to look around in what the command left. */
export function runFailure(step: Step, result: Extract<ExecuteResult, { kind: 'failed' }>): Failed {
  const { reason, message, logTail, logFile, keptFolder, durationMs, remote } = result;
  const { name, target } = stepRef(step);
  const advice = [
    result.hint ?? hintForReason(reason, logTail),
    keptFolder === undefined
      ? undefined
      : `Look around in it with \`cairn shell --failed ${name}${target === undefined ? '' : `@${target}`}\`.`,
  ].filter((sentence) => sentence !== undefined);
  const hint = advice.length === 0 ? undefined : advice.join(' ');
  const code =
    reason.kind === 'disk-full' ? 'DISK_FULL' : `BUILD_${reason.kind.toUpperCase().replace('-', '_')}`;
  return {
    kind: 'failed',
    durationMs,
    failure: { reason, message, hint, code, logTail, logFile, keptFolder, remote },
  };
}
