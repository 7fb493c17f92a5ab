// A derivation's canonical record, its id, and the action it resolves to. One walk serves hashing and explaining.
// Pure; knows nothing of where outputs are kept.

import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { Derivation, FileContent, Input } from './derivation.ts';
import { revisions } from './revisions.ts';

declare const derivationIdBrand: unique symbol;
declare const actionIdBrand: unique symbol;

/** Digest of a derivation's canonical record, its inputs named by derivation id. Known before anything is built. */
export type DerivationId = Digest & { readonly [derivationIdBrand]: true };
/** Digest of a resolved derivation's record, its inputs named by their content. */
export type ActionId = Digest & { readonly [actionIdBrand]: true };

export type RecordValue = { readonly [key: string]: CborValue | undefined };
type MutableRecord = { [key: string]: CborValue | undefined };

/** Raised whenever a record's form changes: every id changes with it, and so do the golden files. */
export const derivationFormat = 'cairn-derivation-2';
const actionFormat = 'cairn-action-1';

/**
 * The full description: all fields, inputs encoded by `reference`, and what performs it, so that what was made by another revision
 * of any step below is not taken for this. What `cairn why` compares.
 */
export function derivationRecord(
  derivation: Derivation,
  reference: (input: Input) => CborValue,
  content?: CborValue,
): RecordValue {
  const record = stepFields(derivation, reference, content);
  record['format'] = derivationFormat;
  record['kind'] = derivation.kind;
  record['name'] = derivation.name;
  record['revision'] = revisions[derivation.kind];
  if (derivation.kind === 'fetch') {
    record['urls'] = derivation.urls;
    record['sizeBytes'] = derivation.sizeBytes;
  } else if (derivation.kind === 'unpack') {
    record['limits'] = derivation.limits as RecordValue | undefined;
  } else if (derivation.kind === 'run') {
    record['target'] = derivation.target;
    record['limits'] = derivation.limits as RecordValue;
    const { compileCache } = derivation;
    record['remote'] = derivation.remote;
    record['compileCache'] = compileCache && { ...compileCache, tool: reference(compileCache.tool) };
  }
  return record;
}

/** The part that decides the result: inputs by content, and what performs it. Names, URLs and limits are not in it. */
export function actionRecord(
  derivation: Derivation,
  reference: (input: Input) => CborValue,
  content?: CborValue,
): RecordValue {
  const record = stepFields(derivation, reference, content);
  record['format'] = actionFormat;
  record['kind'] = derivation.kind;
  record['revision'] = revisions[derivation.kind];
  return record;
}

/** True for a field of a full description that is no part of what is made: names, URLs, limits, and where it may run. */
export function isBesideTheAction(derivation: Derivation, field: string): boolean {
  return !Object.hasOwn(
    actionRecord(derivation, () => '', ''),
    field,
  );
}

export function derivationIdOf(record: RecordValue): DerivationId {
  return encodeDerivation(record).id;
}

/** A derivation's canonical bytes, and its id, which is their digest. */
export function encodeDerivation(record: RecordValue): {
  readonly id: DerivationId;
  readonly encoded: Uint8Array;
} {
  const encoded = encodeCbor(record);
  return { id: digestOf(encoded) as DerivationId, encoded };
}

export function actionIdOf(record: RecordValue): ActionId {
  return digestOf(encodeCbor(record)) as ActionId;
}

// `content` is what a local folder was found to hold.
function stepFields(
  derivation: Derivation,
  reference: (input: Input) => CborValue,
  content: CborValue | undefined,
): MutableRecord {
  switch (derivation.kind) {
    case 'fetch':
      return { sha256: derivation.sha256 };
    case 'unpack':
      return { archive: reference(derivation.archive), strip: derivation.strip, exclude: derivation.exclude };
    case 'write':
      return { files: mapValues(derivation.files, fileRecord) };
    case 'compose':
      return {
        conflicts: derivation.conflicts,
        parts: derivation.parts.map(({ input, at, include, exclude, as }) => ({
          input: reference(input),
          at,
          include,
          exclude,
          ...(as !== undefined && { as }),
        })),
      };
    case 'local':
      return { content };
    case 'run':
      return {
        platform: derivation.platform,
        layers: derivation.layers.map(reference),
        inputs: mapValues(derivation.inputs, reference),
        env: derivation.env,
        argv: derivation.argv,
        outputs: derivation.outputs,
        // Part of the result: what fails for one must not be taken from another that allows it.
        mayBeEmpty: derivation.mayBeEmpty.length > 0 ? derivation.mayBeEmpty : undefined,
        incremental: derivation.incremental as RecordValue | undefined,
      };
  }
}

function fileRecord(file: FileContent): CborValue {
  if ('symlink' in file) return { symlink: file.symlink };
  const bytes = 'text' in file ? Buffer.from(file.text) : file.bytes;
  return { bytes, executable: file.executable ?? false };
}

function mapValues<T>(record: Readonly<Record<string, T>>, encode: (value: T) => CborValue): RecordValue {
  return mapByName(Object.keys(record).map((key) => [key, encode(record[key]!)]));
}
