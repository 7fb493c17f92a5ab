// A fragment as the text of a module for a config, and which names follow from that of its file. Pure.

import { basename } from 'node:path';
import type { ChosenOption } from './menu.ts';

/** The beginning of each file that is written: one that begins otherwise is somebody's own. */
export const fragmentHeader = '// Written by `cairn kernel menuconfig`';

const reason = 'chosen in the menu';

/** The fragment's name for a file; without one, a usual name. */
export function fragmentName(file: string | undefined): string {
  return file === undefined ? 'ours' : basename(file).replace(/\.[cm]?[jt]s$/, '');
}

/** @example fragmentText('ours', { target: 'kernel', options }) */
export function fragmentText(
  name: string,
  { target, options }: { readonly target: string; readonly options: readonly ChosenOption[] },
): string {
  const named = (value: string): string[] =>
    options.filter((one) => one.value === value).map((one) => one.name);
  const given = options.filter(({ value }) => !['y', 'm', 'n'].includes(value));
  const overruling = options.filter(({ overrules }) => overrules).map((one) => one.name);
  return [
    `${fragmentHeader}, which may write it again: what is asked for beside what ${target} asks for.`,
    '',
    "import type { Fragment } from 'cairn-build/derivations';",
    '',
    `export const ${identifierOf(name)}: Fragment = {`,
    `  name: ${quoted(name)},`,
    ...listLines('on', named('y')),
    ...listLines('modules', named('m')),
    ...listLines('off', named('n')),
    ...(given.length === 0
      ? []
      : ['  values: {', ...given.map((one) => `    ${one.name}: ${literal(one.value)},`), '  },']),
    ...(overruling.length === 0 ? [] : [`  overrules: ${namesText(overruling, '  ')},`]),
    '};',
    '',
  ].join('\n');
}

function listLines(list: string, names: readonly string[]): string[] {
  return names.length === 0
    ? []
    : [`  ${list}: {`, `    ${quoted(reason)}: ${namesText(names, '    ')},`, '  },'];
}

/** On one line where they fit, else one line of a template after the other. */
function namesText(names: readonly string[], indent: string): string {
  const width = 100;
  const line = names.join(' ');
  if (line.length <= 70) return quoted(line);
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < width) lines[lines.length - 1] = `${last} ${name}`;
    else lines.push(name);
  }
  return ['`', ...lines.map((text) => `${indent}  ${text}`)].join('\n') + '`';
}

// The kernel's quotes know two escapes, \" and \\. Hexadecimal numbers are texts in a fragment: the kernel wants them so.
function literal(value: string): string {
  if (value.startsWith('"')) return quoted(value.slice(1, -1).replace(/\\(["\\])/g, '$1'));
  return /^(0|-?[1-9]\d{0,14})$/.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function identifierOf(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const [first = 'ours', ...rest] = words;
  const joined = first + rest.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return /^\d/.test(joined) ? `kernel${joined}` : joined;
}
