// A configuration fragment: kernel options by concern, each with the reason it is asked for. Merging fragments gives one
// list of options; two that want different things are an error here, before anything runs. Pure; knows no option.

import { UserError } from '../../engine/model/index.ts';

/** Kernel options of one concern, without `CONFIG_`. */
export interface Fragment {
  readonly name: string;
  /** Built in. Names separated by white space, under the reason they are asked for. */
  readonly on?: Readonly<Record<string, string>>;
  /** Built as loadable modules, in the same way. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Not built, in the same way. */
  readonly off?: Readonly<Record<string, string>>;
  /** Numbers, those that the kernel wants hexadecimal as texts ('0x1000'), and texts (which its files have in quotes). */
  readonly values?: Readonly<Record<string, number | string>>;
  /** Those of its options that hold whatever other fragments ask for: names separated by white space. */
  readonly overrules?: string;
}

/** One option as it is asked for. */
export interface Option {
  readonly name: string;
  /** As a .config has it: `y`, `m`, `n`, a number, a text in quotes. */
  readonly value: string;
  /** The fragment it is from. */
  readonly fragment: string;
  readonly reason: string;
  /** Whether it holds whatever others ask for. */
  readonly overrules?: boolean;
  /** What another fragment asks for instead, and does not get. */
  readonly overruled?: Option;
}

/**
 * All options of all fragments, by name.
 * @throws UserError `DERIVATION_INVALID` for two values of one option of which none overrules the other, for what is not an
 * option's name, and for overruling with an option that the fragment does not have.
 * @example mergeFragments([base, containers])
 */
export function mergeFragments(fragments: readonly Fragment[]): readonly Option[] {
  const merged = new Map<string, Option>();
  for (const option of fragments.flatMap(optionsOf)) {
    checkName(option);
    const known = merged.get(option.name);
    merged.set(option.name, known === undefined ? option : agreed(known, option));
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The options as the kernel's own configuration program reads them (`KCONFIG_ALLCONFIG`). */
export function configText(options: readonly Option[]): string {
  return options.map(({ name, value }) => `CONFIG_${name}=${value}\n`).join('');
}

function agreed(known: Option, other: Option): Option {
  if (known.value === other.value) return known;
  if (other.overrules === known.overrules) throw conflicting(known, other);
  return other.overrules === true ? { ...other, overruled: known } : { ...known, overruled: other };
}

function optionsOf(fragment: Fragment): readonly Option[] {
  const { name, on = {}, modules = {}, off = {}, values = {}, overrules = '' } = fragment;
  const listed = (lists: Readonly<Record<string, string>>, value: string): readonly Option[] =>
    Object.entries(lists).flatMap(([reason, names]) =>
      optionNames(names).map((option) => ({ name: option, value, fragment: name, reason })),
    );
  const given = Object.entries(values).map(([option, value]) => ({
    name: option,
    value: typeof value === 'number' || isHexadecimal(value) ? String(value) : JSON.stringify(value),
    fragment: name,
    reason: 'a value',
  }));
  const all = [...listed(on, 'y'), ...listed(modules, 'm'), ...listed(off, 'n'), ...given];
  const overruling = new Set(optionNames(overrules));
  const unknown = [...overruling].find((option) => !all.some((one) => one.name === option));
  if (unknown !== undefined) throw overrulingNothing(name, unknown);
  return all.map((option) => (overruling.has(option.name) ? { ...option, overrules: true } : option));
}

function isHexadecimal(value: string): boolean {
  return /^0x[0-9a-f]+$/i.test(value);
}

/** Names as a fragment lists them under a reason. */
export function optionNames(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function checkName({ name, fragment }: Option): void {
  if (/^(?!CONFIG_)[A-Za-z0-9_]+$/.test(name)) return;
  throw new UserError(
    'DERIVATION_INVALID',
    `kernel fragment ${fragment}: "${name}" is not an option's name`,
    {
      hint: 'Write names without CONFIG_, separated by spaces.',
    },
  );
}

function conflicting(known: Option, other: Option): UserError {
  const said = ({ value, fragment, reason }: Option): string => `${value} in ${fragment} (${reason})`;
  return new UserError(
    'DERIVATION_INVALID',
    `kernel option ${known.name} is ${said(known)} and ${said(other)}`,
    { hint: 'Take it out of one of the fragments, or leave one of them out.' },
  );
}

function overrulingNothing(fragment: string, option: string): UserError {
  return new UserError(
    'DERIVATION_INVALID',
    `kernel fragment ${fragment} overrules others on ${option}, and does not say what it is`,
    { hint: 'List it under on, modules, off or values as well.' },
  );
}
