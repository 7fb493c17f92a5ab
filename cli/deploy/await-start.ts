// A machine that restarts, until it can be reached again. Knows nothing of what was deployed.

import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../store/base/errors.ts';
import { formatDuration } from '../render/units.ts';
import { parseDeviceFacts, type DeviceFacts } from './device-facts.ts';
import { Unreachable, type Remote } from './ssh.ts';

const pauseMs = 1000;

/**
 * What it says of itself after its next start; `before` is what it said of this one.
 * @throws UserError `KERNEL_NOT_UP` when it cannot be reached in time
 */
export async function awaitStart(
  remote: Remote,
  {
    before,
    timeoutMs,
    signal,
  }: { readonly before: DeviceFacts; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<DeviceFacts> {
  const lastMs = performance.now() + timeoutMs;
  let said = 'it has not gone down';
  while (performance.now() < lastMs) {
    try {
      const facts = parseDeviceFacts(remote.host, await remote.call('look', ['-'], { connectSeconds: 5 }));
      if (facts.start !== before.start) return facts;
      said = 'it has not gone down';
    } catch (error) {
      // Half a start may let one in and not further.
      if (!(error instanceof UserError) || error.code === 'USAGE') throw error;
      said = error instanceof Unreachable ? 'ssh does not get through' : error.message;
    }
    await remote.disconnect();
    await sleep(pauseMs, undefined, { signal });
  }
  throw new UserError(
    'KERNEL_NOT_UP',
    `${remote.host} has not come up within ${formatDuration(timeoutMs)}: ${said}`,
    {
      fault: 'environment',
      hint: 'If the new kernel hangs, switch the machine off and on: what it was started with once is not what starts then. Or wait longer with --timeout.',
    },
  );
}
