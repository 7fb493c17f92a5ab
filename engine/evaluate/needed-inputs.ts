// Which of the inputs that a flake declares its outputs and its sandbox ask for: for a lock that pins no more than that.

import type { Lock } from '../lock/lock-file.ts';
import { callFlake } from './call-flake.ts';
import type { Computing, EvaluateOptions, LoadFlakeOptions } from './evaluate-options.ts';
import { loadConfig } from './load-config.ts';

export interface NeededInputsOptions extends LoadFlakeOptions, Pick<EvaluateOptions, 'env'> {
  /** With pins for all of them. */
  readonly lock: Lock;
}

/**
 * Their names, for all targets of the flake; undefined where an output cannot be made, for who knows what it would ask for.
 * @throws UserError as `evaluate` does for what concerns all outputs.
 */
export async function neededInputs(options: NeededInputsOptions): Promise<ReadonlySet<string> | undefined> {
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  return computing(() => {
    const needed = new Set<string>();
    const config = loadConfig({ ...options, records: options.store.records });
    const onInput = (name: string): void => void needed.add(name);
    const { broken } = callFlake(config, config.flake.targets, { ...options, onInput });
    return broken.length === 0 ? needed : undefined;
  });
}
