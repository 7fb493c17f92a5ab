// What a flake's functions are called with, and whether what they return is what it must be. Knows no realm and no store.

import { UserError } from '../../store/base/errors.ts';
import { mapByName, ownMember } from '../../store/base/map-by-name.ts';
import { reasonOf } from '../model/broken.ts';
import { shown } from '../model/check.ts';
import { isDerivation, type Derivation } from '../model/derivation.ts';

/** An output as a flake names it. */
export interface NamedOutput {
  readonly name: string;
  readonly derivation: Derivation;
  readonly description: string | undefined;
}

/** One that could not be made, and why. */
export interface NamedError {
  readonly name: string;
  readonly description: string | undefined;
  readonly error: UserError;
}

/** The values of the declared environment variables, undefined where one is not set. */
export function declaredEnvironment(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return mapByName(names.map((name) => [name, ownMember(env, name)]));
}

/** The same values for a config to read: any other variable is an error. */
export function guardedEnvironment(
  declared: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return new Proxy(declared, {
    get(target, name) {
      if (typeof name === 'symbol' || Object.hasOwn(target, name) || name === 'toJSON')
        return Reflect.get(target, name) as string | undefined;
      throw new UserError('CONFIG_IMPURE', `environment variable ${name} is not declared`, {
        hint: `Add it to the flake: environment: ['${name}'].`,
      });
    },
  });
}

const outputName = /^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/;

/** What it takes to read what a flake returned. */
export interface OutputsReader {
  /** Calls what may be the config's own code. @throws UserError for whatever it throws. */
  readonly call: <T>(work: () => T) => T;
  /** The error that a kept one comes to for the author. */
  readonly explain: (thrown: unknown) => unknown;
  /** The error for an output that is wrong. */
  readonly fail: (path: readonly string[], problem: string, hint?: string) => UserError;
}

/**
 * The outputs that a flake's `outputs` returned. What is wrong with one of them is kept with it.
 * @throws UserError when there are none to be read, or one has no name that could be asked for.
 */
export function namedOutputs(returned: unknown, reader: OutputsReader): (NamedOutput | NamedError)[] {
  const { fail } = reader;
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned))
    throw fail(
      ['outputs'],
      `it must return an object of derivations by name, not ${shown(returned)}`,
      'End it with return { default: step }.',
    );
  if (isDerivation(returned))
    throw fail(
      ['outputs'],
      `it must return an object of derivations by name, not ${returned.name} itself`,
      'Give it a name: return { default: step }.',
    );
  if (typeof (returned as { then?: unknown }).then === 'function')
    throw fail(
      ['outputs'],
      'it must return derivations, not a promise of them',
      'Take async away: nothing in a config has to be waited for.',
    );
  return Object.keys(returned).map((name) => {
    if (!outputName.test(name)) return misnamed(name, reader);
    try {
      return namedOutput(name, readMember(returned, name, reader), reader);
    } catch (error) {
      if (error instanceof UserError) return { name, description: undefined, error };
      throw error;
    }
  });
}

// Shown in quotes, which no output's name has: that it is wrong is its own matter alone.
function misnamed(name: string, { fail }: OutputsReader): NamedError {
  const error = fail(
    ['outputs', name],
    'a name has letters, digits and + . _ - and starts with a letter or digit',
    `Call it ${shown(asOutputName(name))}, for example: it is what \`cairn build\` is given.`,
  );
  return { name: shown(name), description: undefined, error };
}

function asOutputName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9+._-]+/g, '-').replace(/^[^a-zA-Z0-9]+/, '') || 'mine';
}

function namedOutput(name: string, output: unknown, reader: OutputsReader): NamedOutput | NamedError {
  const { fail } = reader;
  const member = (key: string): unknown =>
    typeof output === 'object' && output !== null ? readMember(output, key, reader) : undefined;
  const [derivation, own] = isDerivation(output)
    ? [output, undefined]
    : [member('derivation') ?? member('out'), member('description')];
  if (!isDerivation(derivation))
    throw fail(['outputs', name], `it is not a derivation, but ${shown(output)}`, howToGive(output, name));
  const reason = reasonOf(derivation);
  // What is broken says nothing of itself: whatever is asked of it is its error.
  const description = own ?? (reason === undefined ? descriptionOf(derivation) : undefined);
  if (description !== undefined && typeof description !== 'string')
    throw fail(['outputs', name, 'description'], 'it must be a string');
  if (description?.isWellFormed() === false)
    throw fail(['outputs', name, 'description'], 'it has half a surrogate pair: it is not Unicode text');
  if (reason === undefined) return { name, derivation, description };
  const error = reader.explain(reason);
  if (error instanceof UserError) return { name, description, error };
  throw error;
}

function howToGive(output: unknown, name: string): string {
  if (typeof output === 'function') return `Call it: ${name}: ${name}(…).`;
  if (output === undefined || output === null)
    return 'Look at how what it comes from is written: that has no value.';
  if (Array.isArray(output))
    return 'Give each a name of its own, or make one tree of all: compose({ name, parts }).';
  if (typeof output === 'object')
    return `Each output has one name: spread it, ...${name}, if it is outputs by name.`;
  return 'Give a step, what run(), compose() and their like return, or { derivation, description }.';
}

function descriptionOf(derivation: Derivation): string | undefined {
  return 'description' in derivation ? derivation.description : undefined;
}

// A getter is the config's own code.
function readMember(holder: object, key: string, { call }: OutputsReader): unknown {
  const read = (): unknown => (holder as Readonly<Record<string, unknown>>)[key];
  const isPlain = Object.getOwnPropertyDescriptor(holder, key)?.get === undefined;
  return isPlain ? read() : call(read);
}
