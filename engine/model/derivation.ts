// The functions that make derivations, and what can be asked of one. Pure: no I/O, no ids.

import { mapByName } from '../../store/base/map-by-name.ts';
import { broken, reasonOf } from './broken.ts';
import {
  checkFields,
  checkLinkTarget,
  checkName,
  checkNumber,
  checkOneOf,
  checkPlainText,
  checkRecord,
  checkRelative,
  checkString,
  checkStrings,
  invalid,
  shown,
} from './check.ts';
import { checkAmount, checkNoFileInFile } from './check-files.ts';
import {
  checkArguments,
  checkLayers,
  checkArchiveLimits,
  checkCompileCache,
  checkIncremental,
  checkLimits,
  checkMayBeEmpty,
  checkOutputs,
  checkPlaces,
  checkVariables,
} from './check-run.ts';
import { made } from './made.ts';
import type {
  CompileCache,
  Compose,
  ComposePart,
  Derivation,
  Fetch,
  FileContent,
  Incremental,
  Input,
  InputLike,
  ArchiveLimits,
  Limits,
  Local,
  Platform,
  Run,
  Target,
  Unpack,
  Write,
} from './kinds.ts';

export type * from './kinds.ts';

export const targets: readonly Target[] = ['aarch64-linux', 'x86_64-linux'];
const platforms: readonly Platform[] = ['x86_64-linux'];

interface FetchUrlSpec {
  readonly name: string;
  readonly urls: readonly string[];
  readonly sha256: string;
  readonly sizeBytes?: number;
}

/** A download. `sha256` is not optional: what is not pinned is not an input. */
export function fetchUrl(spec: FetchUrlSpec): Fetch {
  return made(fetchUrl, spec, describeFetch);
}

function describeFetch(spec: FetchUrlSpec): Fetch {
  checkFields('fetchUrl', spec, ['name', 'urls', 'sha256', 'sizeBytes']);
  checkName(spec.name);
  checkStrings(spec.name, 'urls', spec.urls);
  checkNumber(spec.name, 'sizeBytes', spec.sizeBytes);
  if (!/^[0-9a-f]{64}$/.test(spec.sha256)) {
    invalid(
      `${spec.name}: sha256 must be 64 lower-case hex digits, not "${spec.sha256}"`,
      'Take it from `sha256sum FILE`.',
    );
  }
  const wrong = spec.urls.find((url) => !/^(https?|mirror|file):\/\/./.test(url));
  if (wrong !== undefined)
    invalid(`${spec.name}: "${wrong}" is not a URL`, 'Use https://… or mirror://NAME/path.');
  if (spec.urls.length === 0) invalid(`${spec.name}: no URL is given`, 'Give at least one.');
  const { name, sha256, sizeBytes } = spec;
  const urls = [...spec.urls];
  return { kind: 'fetch', name, urls, sha256, ...(sizeBytes !== undefined && { sizeBytes }) };
}

interface UnpackSpec {
  readonly name: string;
  readonly archive: InputLike;
  readonly strip?: number;
  readonly exclude?: readonly string[];
  readonly limits?: ArchiveLimits;
}

/**
 * The tree inside an archive, without its top folder where that is the only thing at the top, as it is in most source
 * archives. `strip` says it exactly instead: `0` keeps every name as it is (packages of files), `1` takes the first part
 * off every name. What would be lost by that is an error. `exclude` leaves parts out, also such as no tree can hold or no
 * archive may bring: devices, files with capabilities, absolute names. A hard link becomes a file, and a hole zeros. `limits` says how much may come out of an archive that is rightly larger
 * than the usual bounds: 16 GiB, and 200 times the archive's own size where that is more than 256 MiB.
 * @example unpack({ name: 'sed-source', archive: fetchPin(pins.sed[0]) })
 */
export function unpack(spec: UnpackSpec): Unpack {
  return made(unpack, spec, describeUnpack);
}

function describeUnpack(spec: UnpackSpec): Unpack {
  checkFields('unpack', spec, ['name', 'archive', 'strip', 'exclude', 'limits']);
  const { exclude = [], limits = {} } = spec;
  checkName(spec.name);
  checkNumber(spec.name, 'strip', spec.strip);
  checkStrings(spec.name, 'exclude', exclude);
  checkArchiveLimits(spec.name, limits);
  return {
    kind: 'unpack',
    name: spec.name,
    archive: input(spec.name, spec.archive, 'archive'),
    ...(spec.strip !== undefined && { strip: spec.strip }),
    ...(exclude.length > 0 && { exclude: [...exclude] }),
    ...(!isEmpty(limits) && { limits: { ...limits } }),
  };
}

interface WriteSpec {
  readonly name: string;
  readonly description?: string;
  readonly files: Readonly<Record<string, string | FileContent>>;
}

/** A tree of literal files, by relative path. A string is a text file. */
export function write(spec: WriteSpec): Write {
  return made(write, spec, describeWrite);
}

function describeWrite(spec: WriteSpec): Write {
  checkFields('write', spec, ['name', 'description', 'files']);
  checkName(spec.name);
  checkRecord(spec.name, 'files', spec.files);
  const files = mapByName<FileContent>();
  for (const path of Object.keys(spec.files)) {
    checkRelative(spec.name, path);
    files[path] = fileContent(spec.name, path, spec.files[path]!);
  }
  checkNoFileInFile(spec.name, files);
  checkAmount(spec.name, files);
  return { kind: 'write', name: spec.name, ...described(spec), files };
}

export interface ComposePartSpec {
  readonly input: InputLike;
  readonly at?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly as?: 'digest';
}

interface ComposeSpec {
  readonly name: string;
  readonly description?: string;
  readonly parts: readonly (InputLike | ComposePartSpec)[];
  readonly conflicts?: 'error' | 'later-wins';
}

/**
 * One tree out of several.
 * @example compose({ name: 'root', parts: [bash, { input: coreutils, exclude: ['usr/share/doc'] }] })
 */
export function compose(spec: ComposeSpec): Compose {
  return made(compose, spec, describeCompose);
}

function describeCompose(spec: ComposeSpec): Compose {
  checkFields('compose', spec, ['name', 'description', 'parts', 'conflicts']);
  const { name, conflicts = 'error' } = spec;
  checkName(name);
  checkOneOf(name, 'conflicts', conflicts, ['error', 'later-wins']);
  if (!Array.isArray(spec.parts))
    invalid(`${name}: parts must be a list of trees, not ${shown(spec.parts)}`, 'Write parts: [a, b].');
  const given: ComposeSpec['parts'] = spec.parts;
  const parts = [...given].map((part, at) => composePart(name, part, at));
  return { kind: 'compose', name, ...described(spec), parts, conflicts };
}

interface LocalFolderSpec {
  readonly name: string;
  readonly path: string;
  readonly exclude?: readonly string[];
}

/**
 * A folder of this machine, without what git ignores there (also by files of the folders above, and by the person's own),
 * and what `.cairnignore` files and `exclude` leave out. A folder that is ignored itself is imported all the same.
 */
export function localFolder(spec: LocalFolderSpec): Local {
  return made(localFolder, spec, describeLocal);
}

function describeLocal(spec: LocalFolderSpec): Local {
  checkFields('localFolder', spec, ['name', 'path', 'exclude']);
  checkName(spec.name);
  checkPlainText(spec.name, 'path', spec.path);
  if (spec.path === '') invalid(`${spec.name}: path is empty`, 'Write "." for the config\'s own folder.');
  checkStrings(spec.name, 'exclude', spec.exclude ?? []);
  return {
    kind: 'local',
    name: spec.name,
    path: spec.path,
    exclude: [...(spec.exclude ?? [])],
  };
}

export interface RunSpec {
  readonly name: string;
  readonly description?: string;
  readonly platform?: Platform;
  readonly target?: Target;
  readonly layers: readonly InputLike[];
  readonly inputs?: Readonly<Record<string, InputLike>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly outputs?: readonly string[];
  /** Outputs that may stay empty: `['out']` for a command that only checks something. */
  readonly mayBeEmpty?: readonly string[];
  readonly limits?: Limits;
  /** Folders of the build that may be kept for the next: `{ folders: ['objects'], sources: ['/source'] }`. */
  readonly incremental?: Incremental;
  /** Compilers whose results may be taken from earlier builds: `compileCache(pins, { … })` of the package set makes one. */
  readonly compileCache?: CompileCacheSpec;
  /** False: on this machine alone, whatever workers there are. What it gives does not depend on that. */
  readonly remote?: boolean;
}

/** The same with a derivation for the tool. */
export type CompileCacheSpec = Omit<CompileCache, 'tool'> & { readonly tool: InputLike };

const runFields: readonly (keyof RunSpec)[] = [
  'name',
  'description',
  'platform',
  'target',
  'layers',
  'inputs',
  'env',
  'argv',
  'outputs',
  'mayBeEmpty',
  'limits',
  'incremental',
  'compileCache',
  'remote',
];

/**
 * A command in the sandbox.
 * @example run({ name: 'hello', layers: [seed], argv: ['/bin/sh', '-c', 'echo hello > $out/hello'] })
 */
export function run(spec: RunSpec): Run {
  return made(run, spec, describeRun);
}

function describeRun(spec: RunSpec): Run {
  checkFields('run', spec, runFields);
  const { name, argv, env = {}, outputs = usualOutputs, mayBeEmpty = noNames, limits = {} } = spec;
  const { platform = 'x86_64-linux', target = 'x86_64-linux', incremental, compileCache } = spec;
  checkName(name);
  checkOneOf(name, 'platform', platform, platforms);
  checkOneOf(name, 'target', target, targets);
  checkArguments(name, argv);
  checkOutputs(name, outputs);
  checkMayBeEmpty(name, mayBeEmpty, outputs);
  checkVariables(name, env, outputs);
  checkLimits(name, limits);
  checkLayers(name, spec.layers);
  checkPlaces(name, spec.inputs ?? {});
  if (incremental !== undefined) checkIncremental(name, incremental, Object.keys(spec.inputs ?? {}));
  if (spec.remote !== undefined && typeof spec.remote !== 'boolean')
    invalid(`${name}: remote must be true or false`, 'Write remote: false for a command that must run here.');
  if (compileCache !== undefined) checkCompileCache(name, compileCache, Object.keys(spec.inputs ?? {}));
  const layers = spec.layers.map((layer: InputLike, at) => input(name, layer, 'layers', at));
  const inputs = mapByName(
    Object.entries(spec.inputs ?? {}).map(([path, value]) => [path, input(name, value, 'input', path)]),
  );
  // Copies: what was checked stays as it is, whatever the config does with its own objects later.
  return {
    kind: 'run',
    name,
    ...described(spec),
    platform,
    target,
    layers,
    inputs,
    env: isEmpty(env) ? noVariables : mapByName(Object.entries(env)),
    argv: [...argv],
    outputs: outputs === usualOutputs ? outputs : [...outputs],
    mayBeEmpty: mayBeEmpty.length === 0 ? noNames : [...mayBeEmpty].sort(),
    limits: isEmpty(limits) ? noLimits : { ...limits },
    ...(incremental !== undefined && {
      incremental: {
        folders: [...incremental.folders].sort(),
        sources: [...incremental.sources].sort(),
      },
    }),
    ...(compileCache !== undefined && {
      compileCache: {
        tool: input(name, compileCache.tool, 'compileCache.tool'),
        compilers: [...compileCache.compilers].sort(),
        sources: [...compileCache.sources].sort(),
      },
    }),
    ...(spec.remote === false && { remote: false }),
  };
}

function described({ name, description }: { readonly name: string; readonly description?: string }): {
  readonly description?: string;
} {
  if (description === undefined) return {};
  checkPlainText(name, 'description', description);
  return { description };
}

// What most commands say nothing about is in memory once.
const usualOutputs: readonly string[] = Object.freeze(['out']);
const noNames: readonly string[] = Object.freeze([]);
const noVariables: Readonly<Record<string, string>> = Object.freeze(mapByName<string>());
const noLimits: Limits = Object.freeze({});

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}

/** An output of a derivation, narrowed to `subpath`: `from(zlib, { output: 'dev', subpath: 'usr/include' })`. */
export function from(
  derivation: Derivation,
  narrowed: { readonly output?: string; readonly subpath?: string } = {},
): Input {
  const reason = reasonOf(derivation);
  if (reason !== undefined) return broken(reason) as Input;
  checkFields('from', narrowed, ['output', 'subpath']);
  const { output = 'out', subpath = '' } = narrowed;
  if (subpath !== '') checkRelative('from', subpath);
  return input('from', { derivation, output, subpath }, 'what it is given');
}

/** The inputs a derivation names, in a fixed order, each as often as it is named. */
export function inputsOf(derivation: Derivation): readonly Input[] {
  switch (derivation.kind) {
    case 'fetch':
    case 'write':
    case 'local':
      return [];
    case 'unpack':
      return [derivation.archive];
    case 'compose':
      return derivation.parts.map((part) => part.input);
    case 'run': {
      const tool = derivation.compileCache?.tool;
      return [
        ...derivation.layers,
        ...Object.values(derivation.inputs),
        ...(tool === undefined ? [] : [tool]),
      ];
    }
  }
}

/** The names of a derivation's outputs. */
export function outputsOf(derivation: Derivation): readonly string[] {
  return derivation.kind === 'run' ? derivation.outputs : ['out'];
}

const derivationKinds = new Set<string>([
  'fetch',
  'unpack',
  'write',
  'compose',
  'local',
  'run',
] satisfies Derivation['kind'][]);

/** True for values made by the functions above, or for what stands for one that could not be made. */
export function isDerivation(value: unknown): value is Derivation {
  if (reasonOf(value) !== undefined) return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    derivationKinds.has((value as { kind?: string }).kind ?? '')
  );
}

const contentFields = ['text', 'bytes', 'symlink'] as const;

function fileContent(name: string, path: string, content: string | FileContent): FileContent {
  const what = `files[${shown(path)}]`;
  if (typeof content === 'string') {
    checkString(name, what, content);
    return { text: content };
  }
  if (typeof content !== 'object' || (content as unknown) === null)
    invalid(
      `${name}: ${what} must be text or an object, not ${shown(content)}`,
      `Write it in quotes, or as an object with ${[...contentFields, 'executable'].join(', ')}.`,
    );
  checkFields(`${name}: ${what}`, content, [...contentFields, 'executable']);
  const given = contentFields.filter((field) => field in content);
  if (given.length !== 1)
    invalid(
      `${name}: ${what} has ${given.length === 0 ? 'no content' : given.join(' and ')}`,
      'Give it one of text, bytes (a Uint8Array) or symlink.',
    );
  if ('symlink' in content) {
    checkLinkTarget(name, `${what}.symlink`, content.symlink);
    if ('executable' in content)
      invalid(`${name}: ${what} is a symlink, which is never executable`, 'Leave it out.');
    return { symlink: content.symlink };
  }
  const { executable = false } = content;
  if (typeof executable !== 'boolean')
    invalid(
      `${name}: ${what}.executable must be true or false, not ${shown(executable)}`,
      'Write it without quotes.',
    );
  if ('text' in content) {
    checkString(name, `${what}.text`, content.text);
    return { text: content.text, executable };
  }
  // Whatever realm it is of.
  if (Object.prototype.toString.call(content.bytes) !== '[object Uint8Array]')
    invalid(
      `${name}: ${what}.bytes must be a Uint8Array`,
      'Make one with Uint8Array.from([…]) or TextEncoder.',
    );
  return { bytes: content.bytes.slice(), executable };
}

function composePart(name: string, part: InputLike | ComposePartSpec, index: number): ComposePart {
  const { input: from, at = '', include = [], exclude = [], as } = isPartSpec(part) ? part : { input: part };
  if (isPartSpec(part)) checkFields(`${name}: a part`, part, ['input', 'at', 'include', 'exclude', 'as']);
  if (at !== '') checkRelative(name, at);
  checkStrings(name, 'include', include);
  checkStrings(name, 'exclude', exclude);
  if (as !== undefined) checkDigestPart(name, { at, as, globs: [...include, ...exclude] });
  return {
    input: input(name, from, 'parts', index),
    at,
    include: [...include],
    exclude: [...exclude],
    ...(as !== undefined && { as }),
  };
}

interface DigestPart {
  readonly at: string;
  readonly as: string;
  readonly globs: readonly string[];
}

function checkDigestPart(name: string, { at, as, globs }: DigestPart): void {
  checkOneOf(name, 'as', as, ['digest']);
  if (at === '')
    invalid(
      `${name}: a digest is a file, and files need a place`,
      "Say where it goes with at: 'path/of/the/file'.",
    );
  if (globs.length > 0)
    invalid(
      `${name}: a digest is that of a whole part, without include or exclude`,
      'Compose what is meant first, and take the digest of that.',
    );
}

function isPartSpec(part: InputLike | ComposePartSpec): part is ComposePartSpec {
  return typeof part === 'object' && (part as unknown) !== null && 'input' in part;
}

// A config is checked at run time too: it may be JavaScript, or have an `any` in it.
function input(user: string, value: InputLike, field: string, key?: string | number): Input {
  const full = isDerivation(value) ? { derivation: value, output: 'out', subpath: '' } : value;
  const derivation: unknown = (full as Partial<Input> | undefined | null)?.derivation;
  if (!isDerivation(derivation)) {
    const isNarrowed = typeof value === 'object' && (value as unknown) !== null && 'derivation' in value;
    const given: unknown = isNarrowed ? derivation : value;
    const place =
      typeof key === 'number' ? `${field}[${key}]` : [field, ...(key ? [shown(key)] : [])].join(' ');
    invalid(`${user}: ${place} is not a derivation, but ${shown(given)}`, howToPass(given, field));
  }
  if (!outputsOf(full.derivation).includes(full.output)) {
    invalid(
      `${user}: ${full.derivation.name} has no output "${full.output}"`,
      `It has ${outputsOf(full.derivation).join(', ')}.`,
    );
  }
  return full;
}

function howToPass(given: unknown, field: string): string {
  if (typeof given === 'string')
    return 'A folder of yours is localFolder({ name, path }), a text is write({ name, files }).';
  if (typeof given === 'function') return 'Call it: what it returns may be one.';
  if (given === undefined || given === null)
    return 'Look at how it is written: what it stands for has no value.';
  if (Array.isArray(given)) return 'Name one of the list, or make one tree of all: compose({ name, parts }).';
  if (field === 'parts')
    return "Write { input: step, at: 'usr' }, for example, for a part with a place of its own, and the step alone for one without.";
  return 'Pass what run(), compose(), write() and their like return, or from(step, { output, subpath }).';
}
