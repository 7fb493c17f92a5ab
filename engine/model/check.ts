// What the functions that make derivations check about their arguments, so that a mistake is reported where it was
// made. By hand and not by schema: it runs for every derivation of a graph, and messages name the derivation. Pure.

import { UserError } from '../../store/base/errors.ts';

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,127}$/;
const emptyDotOrDotDot = /(^|\/)\.{0,2}(\/|$)|\0/;

/** @throws UserError `DERIVATION_INVALID` when `spec` is no object or has a field that is not in `known`. */
export function checkFields(what: string, spec: object, known: readonly string[]): void {
  if (typeof spec !== 'object' || (spec as unknown) === null)
    invalid(`${what} takes an object`, `Its fields are ${known.join(', ')}.`);
  for (const field in spec) {
    if (!known.includes(field))
      invalid(`${what} has no field "${field}"`, `Its fields are ${known.join(', ')}.`);
  }
}

/** Names of derivations: letters, digits and `+._-`. */
export function checkName(name: string): void {
  if (typeof name !== 'string' || !namePattern.test(name)) {
    invalid(
      `${shown(name)} is not a name`,
      'Names have letters, digits and + . _ - and start with a letter or digit.',
    );
  }
}

/** A path inside a tree: relative, without empty, `.` or `..` parts. */
export function checkRelative(name: string, path: string): void {
  checkString(name, 'a path', path);
  if (emptyDotOrDotDot.test(path))
    invalid(
      `${name}: "${path}" is not a path inside a tree`,
      'Write it relative, without "." or ".." parts.',
    );
}

export function checkString(name: string, field: string, value: string | undefined): void {
  if (typeof value !== 'string')
    invalid(`${name}: ${field} must be a string, not ${shown(value)}`, 'Write it in quotes.');
  if (!value.isWellFormed())
    invalid(`${name}: ${field} is not Unicode text`, 'It has half a surrogate pair.');
}

export function checkStrings(name: string, field: string, values: readonly string[]): void {
  if (!Array.isArray(values))
    invalid(`${name}: ${field} must be a list of strings, not ${shown(values)}`, `Write ${field}: ['…'].`);
  for (let at = 0; at < values.length; at++) checkString(name, `${field}[${at}]`, values[at] as string);
}

/** Absent, or a whole number that is not negative. */
export function checkNumber(name: string, field: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
    invalid(`${name}: ${field} must be a whole number, not ${shown(value)}`, 'Write it without a unit.');
}

export function checkOneOf(name: string, field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value))
    invalid(`${name}: ${field} cannot be ${shown(value)}`, `It can be ${known.join(' or ')}.`);
}

export function checkRecord(name: string, field: string, value: object): void {
  if (typeof value !== 'object' || (value as unknown) === null || Array.isArray(value))
    invalid(`${name}: ${field} must be an object, not ${shown(value)}`, `Write ${field}: { … }.`);
}

export function invalid(message: string, hint: string): never {
  throw new UserError('DERIVATION_INVALID', message, { hint });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
