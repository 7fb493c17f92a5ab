// In which root a program of an output is run: which outputs and steps that takes. Pure.

import type { Evaluation, Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { wantedOutputIfAny, type FoundOutput } from './named-outputs.ts';

/** What steps run on, here as anywhere. */
export const thisMachine = 'x86_64-linux';

export interface ProgramRoot {
  readonly output: FoundOutput;
  /** The command whose layers and inputs are there as well; absent where the output is all there is. */
  readonly step: Step | undefined;
  /** What that command needs. */
  readonly below: readonly Step['id'][];
}

/** @throws UserError `ENVIRONMENT_UNSUPPORTED` for what is made for other machines. */
export function rootOf(evaluation: Evaluation, asked: FoundOutput): ProgramRoot {
  const [name, target] = asked.key.split('@') as [string, string];
  refuseOthers(asked.key, target);
  const whole = `${name}-root@${target}`;
  const output = wantedOutputIfAny(evaluation, whole);
  if (output !== undefined) return { output, step: undefined, below: [] };
  const step = evaluation.steps(asked.id);
  return step.derivation.kind === 'run'
    ? { output: asked, step, below: step.inputIds }
    : { output: asked, step: undefined, below: [] };
}

function refuseOthers(key: string, target: string): void {
  if (target === thisMachine) return;
  throw new UserError('ENVIRONMENT_UNSUPPORTED', `programs of ${key} do not run on ${thisMachine}`, {
    hint: `Build it for this machine: cairn exec ${key.split('@')[0]}@${thisMachine}. An image for another one is started by \`cairn run\`.`,
    fault: 'environment',
  });
}
