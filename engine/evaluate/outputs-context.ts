// What a flake's functions are called with, and whether what they return is what it must be. Knows no realm and no store.

import { UserError } from '../../store/base/errors.ts';
import { mapByName, ownMember } from '../../store/base/map-by-name.ts';
import { isDerivation, type Derivation } from '../model/derivation.ts';
import type { Output } from '../model/flake.ts';

/** An output as a flake names it. */
export interface NamedOutput {
  readonly name: string;
  readonly derivation: Derivation;
  readonly description: string | undefined;
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

/**
 * The outputs that a flake's `outputs` returned. `fail` makes the error for an output that is wrong.
 */
export function namedOutputs(
  returned: unknown,
  fail: (path: readonly string[], problem: string) => UserError,
): NamedOutput[] {
  if (typeof returned !== 'object' || returned === null || Array.isArray(returned))
    throw fail(['outputs'], 'it must return an object of derivations by name');
  if (typeof (returned as { then?: unknown }).then === 'function')
    throw fail(['outputs'], 'it must return derivations, not a promise of them');
  return Object.entries(returned as Record<string, Output>).map(([name, output]) => {
    if (!outputName.test(name))
      throw fail(
        ['outputs', name],
        'a name has letters, digits and + . _ - and starts with a letter or digit',
      );
    const { derivation, description } = isDerivation(output)
      ? { derivation: output, description: undefined }
      : ((output as Partial<Exclude<Output, Derivation>> | null) ?? {});
    if (!isDerivation(derivation)) throw fail(['outputs', name], 'it is not a derivation');
    if (description !== undefined && typeof description !== 'string')
      throw fail(['outputs', name, 'description'], 'it must be a string');
    if (description?.isWellFormed() === false)
      throw fail(['outputs', name, 'description'], 'it has half a surrogate pair: it is not Unicode text');
    return { name, derivation, description };
  });
}
