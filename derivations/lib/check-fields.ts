// Whether an object has the fields of its kind, for configs that no type checker saw. Pure; knows no kind.

import { UserError } from '../../engine/model/index.ts';
import { didYouMean } from '../../engine/model/closest-names.ts';

/** Every field that a kind has: a type that gets another one asks for it here. */
export type Fields<T> = Readonly<Record<keyof T, 'needed' | 'optional'>>;

/** @throws UserError `DERIVATION_INVALID` naming `what` and the field that is missing or unknown. */
export function checkFields(what: string, value: unknown, fields: Readonly<Record<string, string>>): void {
  const known = `Its fields are ${Object.keys(fields).join(', ')}.`;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`${what} is not an object`, known);
  const unknown = Object.keys(value).find((field) => !Object.hasOwn(fields, field));
  if (unknown !== undefined)
    throw wrong(
      `${what} has an unknown field "${unknown}"`,
      `${didYouMean(unknown, Object.keys(fields))}${known}`,
    );
  const missing = Object.keys(fields).find(
    (field) =>
      fields[field] === 'needed' && (value as Readonly<Record<string, unknown>>)[field] === undefined,
  );
  if (missing !== undefined) throw wrong(`${what} has no "${missing}"`, known);
}

/** An error about what a config says. */
export function wrong(message: string, hint: string): UserError {
  return new UserError('DERIVATION_INVALID', message, { hint });
}
