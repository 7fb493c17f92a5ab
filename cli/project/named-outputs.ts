// From what a person types to what it names: NAME[@TARGET][:OUTPUT] or a digest, and a path inside any of these. Pure;
// knows no store.

import {
  findOutput,
  outputNamed,
  type EvaluatedOutput,
  type Evaluation,
  type Step,
} from '../../engine/index.ts';
import { outputsOf } from '../../engine/model/index.ts';
import { parseDigest, type Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';

/** One of the flake's outputs, as it was asked for. */
export interface FoundOutput {
  readonly kind: 'output';
  /** `name@target`, as the evaluation has it. */
  readonly key: string;
  readonly id: Step['id'];
  /** Which output of the derivation: `out`, or its first, unless another one was named. */
  readonly output: string;
  readonly description: string | undefined;
}

/** Content that was named by what it is instead of by what makes it. */
export interface FoundDigest {
  readonly kind: 'digest';
  readonly digest: Digest;
}

/** Something to look into, and where in it. */
export interface Place<What = FoundOutput | FoundDigest> {
  readonly what: What;
  /** Relative; '' for all of it. */
  readonly path: string;
}

/** The output that `text` names. @throws UserError `TARGET_UNKNOWN` with what may have been meant. */
export function wantedOutput(evaluation: Evaluation, text: string): FoundOutput {
  const [name = '', part] = text.split(/:(.*)/s);
  return partOf(evaluation, findOutput(evaluation, name), part);
}

/** The same, or undefined when no output has that name. */
export function wantedOutputIfAny(evaluation: Evaluation, text: string): FoundOutput | undefined {
  const found = outputNamed(evaluation, text);
  return found && partOf(evaluation, found, undefined);
}

/** Takes `lsb/usr/bin` or `<sha256>/<size>/usr/bin` apart. */
export function splitPlace(text: string): Place<string | FoundDigest> {
  const [, written, below = ''] = /^([0-9a-f]{64}\/\d+)(?:\/(.*))?$/.exec(text) ?? [];
  const digest = parseDigest(written ?? '');
  if (digest !== undefined) return { what: { kind: 'digest', digest }, path: withoutSlash(below) };
  const [name = '', path = ''] = text.split(/\/(.*)/s);
  return { what: name, path: withoutSlash(path) };
}

/** What `text` names, and the path in it. @throws UserError `TARGET_UNKNOWN`. */
export function findPlace(evaluation: Evaluation, text: string): Place {
  const { what, path } = splitPlace(text);
  if (what === '' || what === '.' || what === '..')
    throw new UserError(
      'TARGET_UNKNOWN',
      `"${text}" is no output of the config, and files of this machine are not meant here`,
      {
        hint: 'Name an output, and what is in it: lsb/usr/bin. `cairn list` says what there is.',
      },
    );
  return { what: typeof what === 'string' ? wantedOutput(evaluation, what) : what, path };
}

/** The names that a step has as an output of the flake: `NAME@TARGET`. */
export function namesIn({ outputs }: Pick<Evaluation, 'outputs'>): (id: Step['id']) => readonly string[] {
  const names = new Map<Step['id'], string[]>();
  for (const [key, { id }] of outputs) names.set(id, [...(names.get(id) ?? []), key]);
  return (id) => names.get(id) ?? [];
}

/** Every name a person may write for an output: as short as possible, and with each target. */
export function outputWords({
  outputs,
  flake,
}: Pick<Evaluation, 'outputs' | 'flake'>): { readonly word: string; readonly description: string }[] {
  return [...outputs.values()].flatMap(({ name, description = '' }) =>
    [name, ...flake.targets.map((target) => `${name}@${target}`)].map((word) => ({ word, description })),
  );
}

function partOf(evaluation: Evaluation, found: EvaluatedOutput, part: string | undefined): FoundOutput {
  const { id, name, target, description } = found;
  const names = outputsOf(evaluation.steps(id).derivation);
  const output = part ?? (names.includes('out') ? 'out' : names[0]!);
  if (names.includes(output)) return { kind: 'output', key: `${name}@${target}`, id, output, description };
  throw new UserError('TARGET_UNKNOWN', `${name} has no output "${output}"`, {
    hint: `It has ${names.join(', ')}.`,
  });
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
