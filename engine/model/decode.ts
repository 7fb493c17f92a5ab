// From a derivation's canonical record back to the derivation, the inverse of encode.ts. Inputs come to life when they
// are looked at, so that one step of a large graph costs one record. Pure; records are found through a function.

import { UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { CborValue } from '../../store/base/cbor.ts';
import type {
  CompileCache,
  ComposePart,
  Derivation,
  FileContent,
  Incremental,
  Input,
  Platform,
  Target,
} from './kinds.ts';
import { derivationFormat, type DerivationId } from './encode.ts';

/** What a record says. */
export interface DecodedDerivation {
  /** A local folder comes without its path and ignore patterns, which are no part of a record. */
  readonly derivation: Derivation;
  /** The ids of `inputsOf(derivation)`, in the same order. */
  readonly inputIds: readonly DerivationId[];
}

/**
 * Decodes a record whose inputs are encoded as `[id, output, subpath]`. `lookup` gives the derivation with an id; it is
 * called when an input's `derivation` is first read.
 * @throws UserError `STORE_CORRUPT` when it is not a derivation's record.
 */
export function decodeDerivation(
  record: CborValue,
  lookup: (id: DerivationId) => Derivation,
): DecodedDerivation {
  const inputIds: DerivationId[] = [];
  const reference = (value: CborValue | undefined): Input => {
    const [id, output, subpath] = list(value);
    inputIds.push(text(id) as DerivationId);
    return new RecordedInput(text(id) as DerivationId, text(output), text(subpath), lookup);
  };
  const fields = map(record);
  if (fields['format'] !== derivationFormat) throw corrupt();
  // Another revision's record may be compared with; its id is its own.
  number(fields['revision']);
  return { derivation: Object.freeze(decodeKind(fields, reference)), inputIds };
}

class RecordedInput implements Input {
  readonly output: string;
  readonly subpath: string;
  readonly #id: DerivationId;
  readonly #lookup: (id: DerivationId) => Derivation;

  constructor(id: DerivationId, output: string, subpath: string, lookup: (id: DerivationId) => Derivation) {
    this.#id = id;
    this.output = output;
    this.subpath = subpath;
    this.#lookup = lookup;
  }

  get derivation(): Derivation {
    return this.#lookup(this.#id);
  }
}

type Fields = Readonly<Record<string, CborValue | undefined>>;
type Reference = (value: CborValue | undefined) => Input;

function decodeKind(fields: Fields, reference: Reference): Derivation {
  const name = text(fields['name']);
  switch (text(fields['kind'])) {
    case 'fetch': {
      const { sizeBytes } = fields;
      const [urls, sha256] = [texts(fields['urls']), text(fields['sha256'])];
      return {
        kind: 'fetch',
        name,
        urls,
        sha256,
        ...(sizeBytes !== undefined && { sizeBytes: number(sizeBytes) }),
      };
    }
    case 'unpack': {
      const { strip, exclude, limits } = fields;
      return {
        kind: 'unpack',
        name,
        archive: reference(fields['archive']),
        ...(strip !== undefined && { strip: number(strip) }),
        ...(exclude !== undefined && { exclude: texts(exclude) }),
        ...(limits !== undefined && { limits: mapOf(limits, number) }),
      };
    }
    case 'write':
      return { kind: 'write', name, files: mapOf(fields['files'], fileContent) };
    case 'compose': {
      const parts = list(fields['parts']).map((part) => composePart(part, reference));
      return { kind: 'compose', name, parts, conflicts: text(fields['conflicts']) as 'error' | 'later-wins' };
    }
    case 'local':
      return { kind: 'local', name, path: '', exclude: [] };
    case 'run':
      return {
        kind: 'run',
        name,
        platform: text(fields['platform']) as Platform,
        target: text(fields['target']) as Target,
        layers: list(fields['layers']).map(reference),
        inputs: mapOf(fields['inputs'], reference),
        env: mapOf(fields['env'], text),
        argv: texts(fields['argv']),
        outputs: texts(fields['outputs']),
        mayBeEmpty: fields['mayBeEmpty'] === undefined ? [] : texts(fields['mayBeEmpty']),
        limits: mapOf(fields['limits'], number),
        ...(fields['incremental'] !== undefined && { incremental: incremental(fields['incremental']) }),
        ...(fields['compileCache'] !== undefined && {
          compileCache: compileCache(fields['compileCache'], reference),
        }),
        ...(fields['remote'] === false && { remote: false }),
      };
    default:
      throw corrupt();
  }
}

function incremental(value: CborValue): Incremental {
  const { folders, sources } = map(value);
  return { folders: texts(folders), sources: texts(sources) };
}

function compileCache(value: CborValue, reference: Reference): CompileCache {
  const { tool, compilers, sources } = map(value);
  return { tool: reference(tool), compilers: texts(compilers), sources: texts(sources) };
}

function fileContent(value: CborValue | undefined): FileContent {
  const { symlink, bytes, executable } = map(value);
  if (symlink !== undefined) return { symlink: text(symlink) };
  if (!(bytes instanceof Uint8Array)) throw corrupt();
  return { bytes, executable: executable === true };
}

function composePart(value: CborValue, reference: Reference): ComposePart {
  const { input, at, include, exclude, as } = map(value);
  return {
    input: reference(input),
    at: text(at),
    include: texts(include),
    exclude: texts(exclude),
    ...(as === 'digest' && { as }),
  };
}

function text(value: CborValue | undefined): string {
  if (typeof value !== 'string') throw corrupt();
  return value;
}

function number(value: CborValue | undefined): number {
  if (typeof value !== 'number') throw corrupt();
  return value;
}

function list(value: CborValue | undefined): readonly CborValue[] {
  if (!Array.isArray(value)) throw corrupt();
  return value as CborValue[];
}

function texts(value: CborValue | undefined): readonly string[] {
  return list(value).map(text);
}

function map(value: CborValue | undefined): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw corrupt();
  return value as Fields;
}

function mapOf<T>(
  value: CborValue | undefined,
  decode: (value: CborValue | undefined) => T,
): Readonly<Record<string, T>> {
  return mapByName(Object.entries(map(value)).map(([key, member]) => [key, decode(member)]));
}

function corrupt(): UserError {
  return new UserError('STORE_CORRUPT', "a derivation's record cannot be read", {
    hint: 'Run `cairn store verify`, then evaluate again with --no-eval-cache.',
    fault: 'environment',
  });
}
