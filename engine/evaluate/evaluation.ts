// What an evaluation gives, and finding an output in it by the name a person typed. Knows nothing of how it came about.

import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { shown } from '../model/check.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { Derivation, Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { TrustedKeys } from '../model/flake.ts';
import type { RemoteExecution } from '../model/remote.ts';
import type { StepSource } from '../step.ts';
import type { PlaceOf } from './places-record.ts';
import type { SeenFolders } from './folder-imports.ts';

/** A config's outputs for the targets that were asked for, all named by derivation ids. */
export interface Evaluation {
  readonly configPath: string;
  readonly flake: FlakeFacts;
  /** By `name@target`. */
  readonly outputs: ReadonlyMap<string, EvaluatedOutput>;
  /** Those that could not be made, also by `name@target`: only who asks for one gets its error. */
  readonly broken: ReadonlyMap<string, BrokenOutput>;
  /** The step that gives the sandbox's own program; undefined when the flake names none. */
  readonly sandbox: DerivationId | undefined;
  /** Any step of the outputs' closures, and of the sandbox's. */
  readonly steps: StepSource;
  /** Where the config made a step: for messages only. */
  readonly placeOf: PlaceOf;
  readonly locals: readonly LocalSource[];
  /** What was seen of the local folders; for `Changes` of a later evaluation. */
  readonly seen: SeenFolders;
  /** All files that were read, or would have been if they were there: what to watch, beside the local folders. */
  readonly files: readonly string[];
  /** True when all was as it is kept: nothing had to be evaluated, and no step to be identified. */
  readonly isCached: boolean;
  /** How many steps were identified for it: where only local folders have changed, those that depend on them. */
  readonly identified: number;
}

/** What a flake says of itself. */
export interface FlakeFacts {
  readonly description: string;
  /** The first is what a name without `@target` means. */
  readonly targets: readonly [Target, ...Target[]];
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** URLs, near to far. */
  readonly caches: readonly string[];
  readonly trust: TrustedKeys;
  /** Workers that commands are run on; absent when it names none. */
  readonly executor?: RemoteExecution;
  /** Names of the environment variables it may read. */
  readonly environment: readonly string[];
}

export interface EvaluatedOutput {
  readonly id: DerivationId;
  readonly name: string;
  readonly target: Target;
  readonly kind: Derivation['kind'];
  readonly description: string | undefined;
  /** The local folders that it is made from, by id; absent when it is made from none. */
  readonly locals?: readonly DerivationId[];
}

/** An output that has no id: something that it is made of could not be made. */
export interface BrokenOutput {
  readonly name: string;
  readonly target: Target;
  readonly description: string | undefined;
  readonly error: UserError;
}

/** A folder of this machine that is part of what was evaluated. */
export interface LocalSource {
  readonly id: DerivationId;
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly exclude: readonly string[];
  /** The input that it stands for, where it does. */
  readonly standsFor?: string;
  /** The tree it was found to hold, which is in the store. */
  readonly content: Digest;
}

/**
 * The targets that have to be evaluated for names like `lsb` and `lsb@x86_64-linux`: a name alone is about the flake's
 * first target. @throws UserError `TARGET_UNKNOWN`.
 */
export function targetsOf(names: readonly string[], flake: Pick<FlakeFacts, 'targets'>): readonly Target[] {
  if (names.length === 0) return [flake.targets[0]];
  return [...new Set(names.map((name) => parseName(name, flake).targets[0]!))];
}

/** For names alone that the flake's first target has no output of: the same with every further target. */
export function namesElsewhere(evaluation: Named, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => !name.includes('@') && outputNamed(evaluation, name) === undefined)
    .flatMap((name) => evaluation.flake.targets.slice(1).map((target) => `${name}@${target}`));
}

/**
 * The output that a name like `lsb` or `lsb@x86_64-linux` means. A name alone means that of the first target that has it.
 * @throws UserError `TARGET_UNKNOWN` with the names that may have been meant; why the output is broken, if it is.
 */
export function findOutput(evaluation: Named, text: string): EvaluatedOutput {
  const found = outputNamed(evaluation, text);
  if (found !== undefined) return found;
  const { name, targets } = parseName(text, evaluation.flake);
  const all = [...evaluation.outputs.values(), ...evaluation.broken.values()];
  const known = all.filter((output) => targets.includes(output.target));
  const names = [...new Set(known.map((output) => output.name))].sort();
  throw unknown(name, `output "${name}" for ${targets.join(' or ')}`, names);
}

/** The same, or undefined when no output has that name. */
export function outputNamed({ flake, outputs, broken }: Named, text: string): EvaluatedOutput | undefined {
  const { name, targets } = parseName(text, flake);
  for (const target of targets) {
    const key = `${name}@${target}`;
    // One whose name is what is wrong with it is kept in quotes.
    const { error } = broken.get(key) ?? broken.get(`${shown(name)}@${target}`) ?? {};
    if (error !== undefined) throw error;
    if (outputs.has(key)) return outputs.get(key);
  }
  return undefined;
}

type Named = Pick<Evaluation, 'flake' | 'outputs' | 'broken'>;

function parseName(
  text: string,
  { targets }: Pick<FlakeFacts, 'targets'>,
): { name: string; targets: readonly Target[] } {
  const [name = '', suffix] = text.split(/@(.*)/);
  if (suffix === undefined) return { name, targets };
  const target = targets.find((known) => known === suffix);
  if (target === undefined) throw unknown(suffix, `target "${suffix}"`, targets);
  return { name, targets: [target] };
}

const shownNames = 20;

function unknown(name: string, what: string, known: readonly string[]): UserError {
  const more = known.length > shownNames ? ` and ${known.length - shownNames} more` : '';
  const all = known.length === 0 ? 'none' : `${known.slice(0, shownNames).join(', ')}${more}`;
  return new UserError('TARGET_UNKNOWN', `the config has no ${what}`, {
    hint: `${didYouMean(name, known)}There is: ${all}.`,
  });
}
