// What an image's machine cannot be given, here or anywhere.

import { access, constants } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { UserError } from '../../store/base/errors.ts';
import type { RunDescription } from './description.ts';
import { mostProcessors } from './machine.ts';

/** Below that, no kernel of ours gets to its first process. */
const leastMemoryMb = 32;

/** @throws UserError `USAGE` for more than there is, or too little to start with. */
export function requireBounds(
  { machine }: RunDescription,
  { memoryMb, processors }: { readonly memoryMb: number; readonly processors: number },
): void {
  const mostMb = Math.floor(totalmem() / 2 ** 20);
  if (memoryMb < leastMemoryMb || memoryMb > mostMb)
    throw new UserError('USAGE', `--memory: a machine cannot have ${memoryMb}M here`, {
      hint: `Give it from ${leastMemoryMb}M to ${mostMb}M, which is all that this computer has.`,
    });
  const most = mostProcessors[machine];
  if (processors > most)
    throw new UserError(
      'USAGE',
      `--processors: the machine "${machine}" has ${most} at most, not ${processors}`,
      { hint: `Give it from 1 to ${most}.` },
    );
}

export const kvmDevice = '/dev/kvm';

/** @throws UserError `USAGE` for a machine with another processor, `ENVIRONMENT_UNSUPPORTED` when nobody may use it. */
export async function requireKvm({ machine }: RunDescription): Promise<void> {
  if (machine !== 'q35') {
    throw new UserError('USAGE', '--kvm starts images for x86_64 only: this machine has no other processor', {
      hint: 'Leave it out, and the processor is emulated.',
    });
  }
  try {
    await access(kvmDevice, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new UserError('ENVIRONMENT_UNSUPPORTED', `--kvm: ${kvmDevice} cannot be used`, {
      hint: 'Switch virtualisation on in the firmware, load the module, or join the group "kvm"; or leave --kvm out.',
      fault: 'environment',
      cause: error,
    });
  }
}
