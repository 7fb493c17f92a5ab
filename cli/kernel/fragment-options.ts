// Fragments in the form that configs have them (`Fragment` of cairn-build/derivations): which values a module that exports some
// names. Pure; what is wrong in one is told as for a config.

import { UserError } from '../../store/base/errors.ts';
import type { Options } from './options.ts';

const lists = { on: 'y', modules: 'm', off: 'n' } as const;

/** The options of all fragments that a module exports. @throws UserError `USAGE` when it exports none. */
export function fragmentOptions(exported: unknown, path: string): Options {
  const fragments = Object.values(members(exported)).filter(isFragment);
  if (fragments.length === 0) {
    throw new UserError('USAGE', `${path} exports no fragment`, {
      hint: "A fragment is an object with a name, and on, modules, off or values: export const ours = { name: 'ours', on: { … } }.",
    });
  }
  return new Map(fragments.flatMap(optionsOf));
}

function optionsOf(fragment: Readonly<Record<string, unknown>>): [string, string][] {
  const listed = Object.entries(lists).flatMap(([list, value]) =>
    Object.values(members(fragment[list])).flatMap((names) =>
      words(names).map((name): [string, string] => [name, value]),
    ),
  );
  const given = Object.entries(members(fragment['values'])).map(([name, value]): [string, string] => [
    name,
    typeof value === 'number' || /^0x[0-9a-f]+$/i.test(String(value)) ? String(value) : JSON.stringify(value),
  ]);
  return [...listed, ...given];
}

function isFragment(value: unknown): value is Readonly<Record<string, unknown>> {
  const { name, ...rest } = members(value);
  return typeof name === 'string' && [...Object.keys(lists), 'values'].some((list) => list in rest);
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function words(text: unknown): readonly string[] {
  return typeof text === 'string' ? text.split(/\s+/).filter((word) => word !== '') : [];
}
