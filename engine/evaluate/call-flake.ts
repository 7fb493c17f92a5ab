// Calls a flake's functions with its pins, targets and environment. Knows nothing of ids or the store.

import { UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import { readLock } from '../lock/lock-file.ts';
import { isDerivation, type Derivation, type Target } from '../model/derivation.ts';
import type { OutputsContext, Pins } from '../model/flake.ts';
import { optionError } from './check-flake.ts';
import type { EvaluateOptions, Overrides } from './evaluate-options.ts';
import { lockPathOf } from './find-config.ts';
import { closureOf } from './identify.ts';
import { checkOverrides, pinsOfInput } from './input-pins.ts';
import type { LoadedConfig } from './load-config.ts';
import { optionPlace } from './option-place.ts';
import {
  declaredEnvironment,
  guardedEnvironment,
  namedOutputs,
  type NamedOutput,
} from './outputs-context.ts';
import { formatPlace } from './place.ts';

export interface FlakeOutputs {
  readonly outputs: ReadonlyMap<Target, readonly NamedOutput[]>;
  readonly sandbox: Derivation | undefined;
  /** The declared variables' values. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The outputs for each target, and the sandbox's tree. Errors are those of `evaluate`. */
export function callFlake(
  config: LoadedConfig,
  targets: readonly Target[],
  { configPath, env, overrides = {} }: Pick<EvaluateOptions, 'configPath' | 'env' | 'overrides'>,
): FlakeOutputs {
  const { flake, source } = config;
  const declared = declaredEnvironment(flake.environment, env);
  const pins = inputPins(config, configPath, overrides);
  const context = (target: Target): OutputsContext<never> => ({
    pins: pins as OutputsContext<never>['pins'],
    target,
    env: guardedEnvironment(declared),
  });
  const fail = (path: readonly string[], problem: string): UserError =>
    optionError(path, problem, { configPath, source });

  const outputs = new Map<Target, readonly NamedOutput[]>();
  for (const target of targets)
    outputs.set(
      target,
      namedOutputs(
        config.call(() => flake.outputs(context(target))),
        fail,
      ),
    );
  const sandbox = config.call(() => flake.sandbox?.(context(flake.targets[0])));
  if (sandbox !== undefined) {
    if (!isDerivation(sandbox)) throw fail(['sandbox'], 'it must return a derivation');
    // Nothing would ever be started: the command waits for the sandbox, and the sandbox for the command.
    const command = closureOf([sandbox]).find(({ kind }) => kind === 'run');
    if (command !== undefined)
      throw fail(['sandbox'], `it needs ${command.name}, a command, and commands are run in it`);
  }
  return { outputs, sandbox, env: declared };
}

function inputPins(
  { flake, source, observations }: LoadedConfig,
  configPath: string,
  overrides: Overrides,
): Readonly<Record<string, Pins>> {
  checkOverrides(flake, overrides);
  const lockPath = lockPathOf(configPath);
  if (observations.isFile(lockPath)) observations.read(lockPath);
  const lock = readLock(lockPath);
  const pins = mapByName<Pins>();
  for (const input of Object.entries(flake.inputs)) {
    try {
      pins[input[0]] = pinsOfInput(input, { configPath, lock, overrides });
    } catch (error) {
      const place = optionPlace(source, ['inputs', input[0]]);
      if (error instanceof UserError && place !== undefined)
        error.where ??= formatPlace({ file: configPath, ...place });
      throw error;
    }
  }
  return pins;
}
