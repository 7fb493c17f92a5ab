// Calls a flake's functions with its pins, targets and environment. Knows nothing of ids or the store.

import { UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import { packageName } from '../../store/base/package-root.ts';
import { readLock, type Lock } from '../lock/lock-file.ts';
import { unlockedInputs } from '../lock/pins-for.ts';
import { brokenList, reasonOf } from '../model/broken.ts';
import { didYouMean } from '../model/closest-names.ts';
import { isDerivation, type Derivation, type Target } from '../model/derivation.ts';
import type { OutputsContext, Pins } from '../model/flake.ts';
import { optionError } from './check-flake.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import type { BrokenOutput } from './evaluation.ts';
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
  type OutputsReader,
} from './outputs-context.ts';
import { formatPlace } from './place.ts';

export interface CallOptions extends Pick<EvaluateOptions, 'configPath' | 'env' | 'overrides'> {
  /** Instead of the one that lies beside the config. */
  readonly lock?: Lock;
  /** Told of each input whose pins are asked for. */
  readonly onInput?: (name: string) => void;
}

export interface FlakeOutputs {
  readonly outputs: ReadonlyMap<Target, readonly NamedOutput[]>;
  readonly broken: readonly BrokenOutput[];
  readonly sandbox: Derivation | undefined;
  /** The declared variables' values. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The outputs for each target, and the sandbox's tree. Errors are those of `evaluate`. */
export function callFlake(
  config: LoadedConfig,
  targets: readonly Target[],
  options: CallOptions,
): FlakeOutputs {
  const { configPath, env } = options;
  const { flake, source, call, explain } = config;
  const declared = declaredEnvironment(flake.environment, env);
  const pins = guardedPins(inputPins(config, options), options.onInput);
  const context = (target: Target): OutputsContext<never> => ({
    pins: pins as OutputsContext<never>['pins'],
    target,
    env: guardedEnvironment(declared),
  });
  const fail = (path: readonly string[], problem: string, hint?: string): UserError =>
    optionError(path, problem, { configPath, source, hint });

  const outputs = new Map<Target, readonly NamedOutput[]>();
  const broken: BrokenOutput[] = [];
  for (const target of targets) {
    const named = namedOutputs(
      call(() => flake.outputs(context(target))),
      { call, explain, fail },
    );
    outputs.set(
      target,
      named.filter((output) => 'derivation' in output),
    );
    const errors = named.filter((output) => 'error' in output);
    broken.push(...errors.map((output) => ({ ...output, target })));
  }
  const sandbox = call(() => flake.sandbox?.(context(flake.targets[0])));
  if (sandbox !== undefined) checkSandbox(sandbox, { explain, fail });
  return { outputs, broken, sandbox, env: declared };
}

/** The derivations that a flake gave. */
export function topsOf({ outputs, sandbox }: Pick<FlakeOutputs, 'outputs' | 'sandbox'>): Derivation[] {
  const tops = [...outputs.values()].flatMap((named) => named.map(({ derivation }) => derivation));
  return sandbox === undefined ? tops : [...tops, sandbox];
}

function checkSandbox(sandbox: Derivation, { explain, fail }: Pick<OutputsReader, 'explain' | 'fail'>): void {
  if (!isDerivation(sandbox)) throw fail(['sandbox'], 'it must return a derivation');
  const reason = reasonOf(sandbox);
  if (reason !== undefined) throw explain(reason);
  // Nothing would ever be started: the command waits for the sandbox, and the sandbox for the command.
  const command = closureOf([sandbox]).find(({ kind }) => kind === 'run');
  if (command !== undefined)
    throw fail(['sandbox'], `it needs ${command.name}, a command, and commands are run in it`);
}

// An input that has no pins concerns those who need it alone.
function inputPins(
  { flake, source, observations }: LoadedConfig,
  { configPath, overrides = {}, ...options }: CallOptions,
): Readonly<Record<string, Pins>> {
  checkOverrides(flake, overrides);
  const lockPath = lockPathOf(configPath);
  if (observations.isFile(lockPath)) observations.read(lockPath);
  const lock = options.lock ?? readLock(lockPath);
  const inputs = mapByName(Object.entries(flake.inputs).filter(([name]) => !Object.hasOwn(overrides, name)));
  const unlocked = unlockedInputs(lock, inputs);
  const pins = mapByName<Pins>();
  for (const input of Object.entries(flake.inputs)) {
    try {
      pins[input[0]] = pinsOfInput(input, { configPath, lock, unlocked, overrides });
    } catch (error) {
      const place = optionPlace(source, ['inputs', input[0]]);
      if (!(error instanceof UserError)) throw error;
      if (place !== undefined) error.where ??= formatPlace({ file: configPath, ...place });
      if (error.code !== 'LOCK_MISSING_PIN') throw error;
      pins[input[0]] = brokenList(error) as Pins;
    }
  }
  return pins;
}

// For a config to read: what is misspelt would otherwise be told of as a property of undefined.
function guardedPins(
  pins: Readonly<Record<string, Pins>>,
  onInput: ((name: string) => void) | undefined,
): Readonly<Record<string, Pins>> {
  return new Proxy(pins, {
    get(target, name) {
      if (typeof name === 'symbol' || name === 'toJSON') return Reflect.get(target, name) as undefined;
      if (!Object.hasOwn(target, name)) throw undeclared(name, Object.keys(target));
      onInput?.(name);
      return target[name];
    },
  });
}

function undeclared(name: string, names: readonly string[]): UserError {
  return new UserError('INPUT_UNKNOWN', `the flake has no input "${name}"`, {
    hint: `${didYouMean(name, names)}Declare it in the flake's inputs; those of cairn are \`inputs\` of "${packageName}/derivations".`,
  });
}
