// What only `run` has: arguments, variables, outputs and places in the sandbox, and what the kernel asks of them. Pure.

import {
  checkFields,
  checkList,
  checkNumber,
  checkPlainText,
  checkRecord,
  checkRelative,
  checkStrings,
  invalid,
  longestArgument,
  shown,
  utf8Length,
} from './check.ts';
import type { ArchiveLimits, CompileCache, Incremental, Limits } from './kinds.ts';

/** What stands in a script as it is. */
const compilerPattern = /^\/(?:[a-zA-Z0-9+._-]+\/)*([a-zA-Z0-9+._-]+)$/;
const outputPattern = /^[a-z][a-z0-9_]{0,31}$/;

/**
 * The kernel takes one page (4,096 bytes) of overlay options, and bubblewrap names a layer `/proc/self/fd/NNN:`. What
 * is longer would be cut off silently.
 */
export const mostLayers = 200;
/** What a sandbox puts there itself, and nobody else may. */
const ownPlaces = ['/dev', '/proc', '/sys', '/outputs'];
/** Where a step begins, unless `cairn check` puts it elsewhere. */
const buildPlace = '/build';
/** What a step writes to; an input may lie in it. */
const writtenPlaces = [buildPlace, '/tmp'];

const limitFields: readonly (keyof Limits)[] = [
  'timeoutSeconds',
  'silenceSeconds',
  'memoryBytes',
  'logBytes',
];

export function checkArguments(name: string, argv: readonly string[]): void {
  checkList(name, 'argv', argv);
  if (argv.length === 0) invalid(`${name}: argv is empty`, 'Name a program, like ["/bin/sh", "-c", "…"].');
  for (let at = 0; at < argv.length; at++) checkArgument(name, `argv[${at}]`, argv[at], 0);
  if (argv[0] === '') invalid(`${name}: argv[0] is empty`, 'It names the program to run.');
}

export function checkVariables(
  name: string,
  env: Readonly<Record<string, string>>,
  outputs: readonly string[],
): void {
  checkRecord(name, 'env', env);
  for (const variable of Object.keys(env)) {
    checkPlainText(name, `the name of variable ${shown(variable)}`, variable);
    if (variable === '' || variable.includes('='))
      invalid(
        `${name}: ${shown(variable)} cannot be the name of a variable`,
        'Names of variables are not empty and have no "=".',
      );
    checkArgument(name, `env.${variable}`, env[variable], utf8Length(variable) + 1);
    if (outputs.includes(variable))
      invalid(`${name}: env.${variable} is also the name of an output`, 'Name one of them otherwise.');
  }
}

export function checkLayers(name: string, layers: readonly unknown[]): void {
  if (!Array.isArray(layers))
    invalid(
      `${name}: layers must be a list of trees, not ${shown(layers)}`,
      'Write layers: [shell]: its root is these, one upon the other. [] is a root with nothing in it.',
    );
  if (layers.length > mostLayers)
    invalid(
      `${name} has ${layers.length} layers; ${mostLayers} is the most a sandbox can stack`,
      'Compose some of them into one tree first.',
    );
}

/** Absolute paths in the sandbox, none of them inside another. */
export function checkPlaces(name: string, inputs: Readonly<Record<string, unknown>>): void {
  checkRecord(name, 'inputs', inputs);
  const paths = Object.keys(inputs);
  const places = new Set(paths);
  for (const path of paths) {
    if (!path.startsWith('/') || path === '/') {
      const absolute = path.replace(/^[./]*/, '/');
      invalid(
        `${name}: input path ${shown(path)} must be absolute`,
        `It is the place where the step finds it: write ${shown(absolute === '/' ? '/src' : absolute)}.`,
      );
    }
    checkRelative(name, path.slice(1));
    const above = foldersAbove(path);
    const outer = above.find((folder) => places.has(folder));
    if (outer !== undefined)
      invalid(
        `${name}: input ${shown(path)} would lie inside input ${shown(outer)}, which cannot be written to`,
        'Put them side by side, or compose them into one tree.',
      );
    if (writtenPlaces.includes(path) || [path, ...above].some((folder) => ownPlaces.includes(folder)))
      invalid(`${name}: ${shown(path)} is the sandbox's own`, 'Put the input at a path like /src.');
  }
}

/** Folders in the one that the step begins in, apart from each other and from every input; sources among the inputs. */
export function checkIncremental(name: string, incremental: Incremental, inputs: readonly string[]): void {
  const what = `${name}: incremental`;
  checkFields(what, incremental, ['folders', 'sources']);
  const { folders, sources } = incremental;
  checkStrings(what, 'folders', folders);
  checkStrings(what, 'sources', sources);
  if (folders.length === 0) invalid(`${what} names no folder`, "Write folders: ['objects'], for example.");
  const seen: string[] = [];
  for (const folder of folders) {
    checkRelative(what, folder);
    const path = `${buildPlace}/${folder}`;
    const other = [...seen, ...inputs].find((place) => isWithin(path, place) || isWithin(place, path));
    if (other !== undefined)
      invalid(
        `${what}: folder ${shown(folder)} would share its place with ${shown(other)}`,
        'Put folders and inputs side by side.',
      );
    seen.push(path);
  }
  checkSources(what, sources, inputs);
}

/** Compilers that can be told apart by their names; sources among the inputs. */
export function checkCompileCache(
  name: string,
  compileCache: Omit<CompileCache, 'tool'>,
  inputs: readonly string[],
): void {
  const what = `${name}: compileCache`;
  checkFields(what, compileCache, ['tool', 'compilers', 'sources']);
  const { compilers, sources } = compileCache;
  checkStrings(what, 'compilers', compilers);
  checkStrings(what, 'sources', sources);
  if (compilers.length === 0) invalid(`${what} names no compiler`, "Write compilers: ['/usr/bin/gcc'].");
  const names = new Set<string>();
  for (const compiler of compilers) {
    const called = compilerPattern.exec(compiler)?.[1];
    if (called === undefined)
      invalid(
        `${what}: ${shown(compiler)} is no absolute path of a compiler`,
        'Write /usr/bin/gcc, for example; letters, digits and + . _ - are the ones that a path may have here.',
      );
    checkRelative(what, compiler.slice(1));
    if (names.has(called))
      invalid(
        `${what}: two compilers are called ${shown(called)}`,
        'They are called by that name: name one.',
      );
    names.add(called);
  }
  checkSources(what, sources, inputs);
}

function checkSources(what: string, sources: readonly string[], inputs: readonly string[]): void {
  const unknown = sources.find((source, at) => !inputs.includes(source) || sources.indexOf(source) !== at);
  if (unknown !== undefined)
    invalid(
      `${what}: ${shown(unknown)} is no input, or is named twice`,
      `There is ${inputs.join(', ') || 'none'}.`,
    );
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function foldersAbove(path: string): string[] {
  const parts = path.slice(1).split('/');
  return parts.slice(1).map((_, at) => `/${parts.slice(0, at + 1).join('/')}`);
}

export function checkOutputs(name: string, outputs: readonly string[]): void {
  checkStrings(name, 'outputs', outputs);
  const isWrong =
    outputs.length === 0 ||
    new Set(outputs).size !== outputs.length ||
    outputs.some((output) => !outputPattern.test(output));
  if (isWrong)
    invalid(`${name}: outputs must be one or more different lower-case names`, 'For example ["out", "dev"].');
}

export function checkMayBeEmpty(
  name: string,
  mayBeEmpty: readonly string[],
  outputs: readonly string[],
): void {
  checkStrings(name, 'mayBeEmpty', mayBeEmpty);
  const unknown = mayBeEmpty.find((output) => !outputs.includes(output));
  if (unknown !== undefined)
    invalid(
      `${name}: mayBeEmpty names "${unknown}", which is no output`,
      `There are: ${outputs.join(', ')}.`,
    );
}

export function checkLimits(name: string, limits: Limits): void {
  checkFields(`${name}: limits`, limits, limitFields);
  for (const limit of limitFields) checkNumber(name, `limits.${limit}`, limits[limit]);
}

export function checkArchiveLimits(name: string, limits: ArchiveLimits): void {
  checkFields(`${name}: limits`, limits, ['unpackedBytes', 'entries']);
  checkNumber(name, 'limits.unpackedBytes', limits.unpackedBytes);
  checkNumber(name, 'limits.entries', limits.entries);
}

function checkArgument(name: string, field: string, value: string | undefined, before: number): void {
  checkPlainText(name, field, value);
  if ((value!.length + before) * 3 > longestArgument && utf8Length(value!) + before > longestArgument)
    invalid(
      `${name}: ${field} is longer than the ${longestArgument} bytes that the kernel takes`,
      'Write it to a file with write(), and make that an input.',
    );
}
