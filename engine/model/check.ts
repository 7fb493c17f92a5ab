// What the functions that make derivations check about their arguments, so that a mistake is reported where it was
// made. By hand and not by schema: it runs for every derivation of a graph, and messages name the derivation. Pure.

import { UserError } from '../../store/base/errors.ts';
import { didYouMean } from './closest-names.ts';

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9+._-]{0,127}$/;
const emptyDotOrDotDot = /(^|\/)\.{0,2}(\/|$)/;

/** Linux's limits, in bytes: a name in a folder, a path or what a symlink holds, one argument or `NAME=value`. */
const longestPart = 255;
const longestPath = 4095;
export const longestArgument = 131_071;

/** @throws UserError `DERIVATION_INVALID` when `spec` is no object or has a field that is not in `known`. */
export function checkFields(what: string, spec: object, known: readonly string[]): void {
  if (typeof spec !== 'object' || (spec as unknown) === null)
    invalid(
      `${what} takes one object, not ${shown(spec)}`,
      `Write ${what}({ ${known.slice(0, 3).join(', ')} … }): its fields are ${known.join(', ')}.`,
    );
  for (const field in spec) {
    if (!known.includes(field))
      invalid(
        `${what} has no field "${field}"`,
        `${didYouMean(field, known)}Its fields are ${known.join(', ')}.`,
      );
  }
  if (known.includes('name') && (spec as { readonly name?: unknown }).name === undefined)
    invalid(`${what} has no name`, "Write name: 'mine', for example: messages and logs call it that.");
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

/** A path inside a tree: relative, without empty, `.` or `..` parts, of a length that Linux takes. */
export function checkRelative(name: string, path: string): void {
  checkPlainText(name, 'a path', path);
  if (emptyDotOrDotDot.test(path)) {
    const relative = path.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');
    invalid(
      `${name}: ${shown(path)} is not a path inside a tree`,
      emptyDotOrDotDot.test(relative)
        ? 'Write it relative, without "." or ".." parts.'
        : `Write it relative, without "." or ".." parts: ${shown(relative)}.`,
    );
  }
  if (path.length * 3 > longestPart) checkLengths(name, path);
}

function checkLengths(name: string, path: string): void {
  const tooLong = path.split('/').some((part) => utf8Length(part) > longestPart);
  if (tooLong || utf8Length(path) > longestPath)
    invalid(
      `${name}: ${shown(path)} is too long`,
      `A part of a path has at most ${longestPart} bytes, a whole path ${longestPath}.`,
    );
}

export function checkString(name: string, field: string, value: string | undefined): void {
  if (typeof value !== 'string')
    invalid(`${name}: ${field} must be a string, not ${shown(value)}`, 'Write it in quotes.');
  if (!value.isWellFormed())
    invalid(`${name}: ${field} is not Unicode text`, 'It has half a surrogate pair.');
}

/** Text that is handed to the kernel, which ends it at a NUL. */
export function checkPlainText(name: string, field: string, value: string | undefined): void {
  checkString(name, field, value);
  if (value!.includes('\0')) invalid(`${name}: ${field} has a NUL in it`, 'The kernel would end it there.');
}

/** What a symbolic link may hold. */
export function checkLinkTarget(name: string, field: string, target: string | undefined): void {
  checkPlainText(name, field, target);
  if (target === '') invalid(`${name}: ${field} is empty`, 'A symlink leads to some path.');
  if (utf8Length(target!) > longestPath)
    invalid(`${name}: ${field} is too long`, `A symlink holds at most ${longestPath} bytes.`);
}

export function checkStrings(name: string, field: string, values: readonly string[]): void {
  checkList(name, field, values);
  for (let at = 0; at < values.length; at++) checkString(name, `${field}[${at}]`, values[at]);
}

export function checkList(name: string, field: string, values: readonly unknown[]): void {
  if (!Array.isArray(values))
    invalid(`${name}: ${field} must be a list of strings, not ${shown(values)}`, `Write ${field}: ['…'].`);
}

/** Absent, or a whole number that is not negative. */
export function checkNumber(name: string, field: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
    invalid(`${name}: ${field} must be a whole number, not ${shown(value)}`, 'Write it without a unit.');
}

export function checkOneOf(name: string, field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value))
    invalid(
      `${name}: ${field} cannot be ${shown(value)}`,
      `${didYouMean(value, known)}It can be ${known.join(' or ')}.`,
    );
}

/** A plain object: members that a prototype or a Map holds would be lost. */
export function checkRecord(name: string, field: string, value: object): void {
  if (typeof value !== 'object' || (value as unknown) === null || Array.isArray(value))
    invalid(`${name}: ${field} must be an object, not ${shown(value)}`, `Write ${field}: { … }.`);
  const prototype = Object.getPrototypeOf(value) as object | null;
  // Of whatever realm: the prototype of plain objects has none itself.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    invalid(
      `${name}: ${field} must be a plain object`,
      'One made by a class or with another prototype has members that would not count; __proto__ in braces makes one.',
    );
}

export function invalid(message: string, hint: string): never {
  throw new UserError('DERIVATION_INVALID', message, { hint });
}

/** The bytes that text takes as UTF-8. Modules of Node.js are not there for the model. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair stands for two of the four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}

const longestShown = 80;

/** A value as it may stand in a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return value.length > longestShown
      ? `${JSON.stringify(value.slice(0, longestShown))}…`
      : JSON.stringify(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.keys(value).slice(0, 3);
  return fields.length === 0 ? 'an empty object' : `an object with ${fields.join(', ')}`;
}
