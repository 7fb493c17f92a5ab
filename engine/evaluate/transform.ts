// TypeScript and ES modules to the CommonJS that the module loader runs, by jiti (which carries Babel). Loading Babel
// takes longer than all the rest of an evaluation, so what it made of a source is kept by the source's digest.

import { hash } from 'node:crypto';
import { SourceMap } from 'node:module';
import type { Jiti } from 'jiti';
import type { RecordReader, RecordWriter } from '../../store/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { jitiFor, jitiVersion } from './jiti.ts';
import { formatPlace, type Place } from './place.ts';

/** A module that can be run, and the way back from its lines and columns to those of the source. */
export interface TransformedModule {
  readonly code: string;
  /** The `mappings` of a source map (ECMA-426). */
  readonly mappings: string;
}

export class Transformer {
  readonly #records: RecordReader;
  readonly #new = new Map<string, TransformedModule>();

  constructor(records: RecordReader) {
    this.#records = records;
  }

  /** @throws UserError `CONFIG_INVALID` with the place of a syntax error. */
  transform(path: string, source: string): TransformedModule {
    // The path is in the code: import.meta is replaced by what it says.
    const key = `module ${jitiVersion()} ${hash('sha256', `${path}\0${source}`, 'hex')}`;
    const known = this.#new.get(key) ?? (this.#records.cached(key) as TransformedModule | undefined);
    if (known !== undefined) return known;
    const transformed = transformModule(path, source);
    this.#new.set(key, transformed);
    return transformed;
  }

  /** Keeps what had to be transformed for later evaluations. */
  record(records: RecordWriter): void {
    for (const [key, { code, mappings }] of this.#new) records.putCached(key, { code, mappings });
  }
}

/** The place in the source that a place in the transformed module comes from. */
export function sourcePlace(module: TransformedModule, place: Place): Place {
  let map = sourceMaps.get(module);
  if (map === undefined) sourceMaps.set(module, (map = sourceMap(module, place.file)));
  const entry = map.findEntry(place.line - 1, place.column - 1);
  if (!('originalLine' in entry)) return place;
  return { file: place.file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

const sourceMaps = new WeakMap<TransformedModule, SourceMap>();

function sourceMap({ mappings }: TransformedModule, file: string): SourceMap {
  const names = { sources: [file], sourcesContent: [], names: [] };
  return new SourceMap({ file, version: 3, mappings, sourceRoot: '', ...names });
}

let jiti: Jiti | undefined;

function transformModule(path: string, source: string): TransformedModule {
  jiti ??= jitiFor(path, {
    sourceMaps: true,
    transformOptions: { babel: { plugins: [noPrototypeMembers] } },
  });
  prototypeMembers.length = 0;
  const output = jiti.transform({ source, filename: path, ts: true, retainLines: true });
  const [dropped] = prototypeMembers;
  if (dropped !== undefined) throw droppedMember(path, dropped);
  const failure = /^exports\.__JITI_ERROR__ = (.*)/.exec(output)?.[1];
  if (failure !== undefined) throw syntaxError(path, JSON.parse(failure) as JitiError);
  return splitSourceMap(output);
}

/** As Babel counts: lines from 1, columns from 0. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** Those that Babel found in the module that it has just read. */
const prototypeMembers: Position[] = [];

/** The part of a Babel syntax tree's path to a property that is asked for below. */
interface PropertyPath {
  readonly parent: { readonly type: string };
  readonly node: {
    readonly computed: boolean;
    readonly shorthand: boolean;
    readonly key: { readonly name?: string; readonly value?: unknown };
    readonly value: { readonly type: string };
    readonly loc?: { readonly start: Position } | null;
  };
}

// `{ '__proto__': 'text' }` makes no member: JavaScript drops it without a word, and a file of that name with it (ECMA-262,
// B.3.1). With null it drops nothing: an object without a prototype is what is meant.
const noPrototypeMembers = (): object => ({
  visitor: {
    ObjectProperty({ parent, node }: PropertyPath): void {
      if (parent.type !== 'ObjectExpression' || node.computed || node.shorthand) return;
      if ((node.key.name ?? node.key.value) !== '__proto__' || node.value.type === 'NullLiteral') return;
      prototypeMembers.push(node.loc?.start ?? { line: 1, column: 0 });
    },
  },
});

function droppedMember(file: string, { line, column }: Position): UserError {
  return new UserError('CONFIG_INVALID', '"__proto__:" in an object makes no member of that name', {
    hint: "Write ['__proto__']: … if a member is meant.",
    where: formatPlace({ file, line, column: column + 1 }),
  });
}

interface JitiError {
  readonly line: number;
  /** From 0. */
  readonly column: number;
  readonly message: string;
}

function syntaxError(file: string, { line, column, message }: JitiError): UserError {
  return new UserError('CONFIG_INVALID', `syntax error: ${message.trim()}`, {
    hint: 'Mend the line; an editor with TypeScript shows the same error.',
    where: formatPlace({ file, line, column: column + 1 }),
  });
}

function splitSourceMap(output: string): TransformedModule {
  const [code = '', encoded = ''] = output.split(/\n\/\/# sourceMappingURL=data:.*?;base64,/);
  const map = JSON.parse(Buffer.from(encoded, 'base64').toString()) as { readonly mappings: string };
  return { code, mappings: map.mappings };
}
