// A derivation as it is made: frozen, and shown to whoever evaluates, who may want to know from where it was asked for. Knows
// nothing of places; what is noted of a derivation is no part of it.

import type { UserError } from '../../store/base/errors.ts';
import { broken } from './broken.ts';

/** Gets each derivation, and the function that made it. */
export type OnMade = (derivation: object, maker: Maker) => void;
export type Maker = (...spec: never[]) => object;

/** The name under which a realm has it: configs of cairn's own checkout load this file anew. */
export const onMade = Symbol.for('cairn.made');

/**
 * What `describe` makes of `spec`, for `maker`, the function that the author called.
 * @throws UserError `DERIVATION_INVALID` when nothing is evaluated.
 */
export function made<Spec extends { readonly name: string }, Made extends object>(
  maker: Maker,
  spec: Spec,
  describe: (spec: Spec) => Made,
): Readonly<Made> {
  const describeAndNote = (): Readonly<Made> => {
    const derivation = Object.freeze(describe(spec));
    noting()?.(derivation, maker);
    return derivation;
  };
  return orBroken(describeAndNote, (spec as Partial<Spec> | undefined | null)?.name);
}

/**
 * What `make` makes. While a config is evaluated, what is wrong with one derivation is kept with it, and concerns only those
 * who need it.
 * @throws UserError when nothing is evaluated.
 */
export function orBroken<Made extends object>(make: () => Made, name?: string): Made {
  if (noting() === undefined) return make();
  try {
    return make();
  } catch (error) {
    if (!isUserError(error)) throw error;
    return broken(error, name) as Made;
  }
}

function noting(): OnMade | undefined {
  return (globalThis as { readonly [onMade]?: OnMade })[onMade];
}

// Of whatever realm.
function isUserError(error: unknown): error is UserError {
  return (error as Partial<Error> | undefined)?.name === 'UserError';
}
