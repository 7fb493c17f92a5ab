// What the names that are pushed came to here, signed, for whoever asks later why his came to something else. Beside it goes what
// describes all steps of each, and nothing that a build would believe.

import { type Digest } from '../../store/base/digest.ts';
import { signRecord, subjectOf } from '../../store/caches/index.ts';
import type {
  ContentReader,
  PushedOutput,
  PushedRecord,
  Realisation,
  SigningKey,
  Store,
} from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step } from '../step.ts';
import { editionTree, type EditionTree } from './edition-tree.ts';

/** A step that has a name of the config, and what it gave here. */
export interface NamedStep {
  readonly step: Step;
  /** `NAME@TARGET`; several outputs may be one step. */
  readonly names: readonly string[];
  readonly realisation: Realisation;
}

export interface EditionsContext {
  readonly store: Store;
  readonly key: SigningKey;
  /** All that a step is made from, itself included. */
  readonly closureOf: (id: DerivationId) => readonly Step[];
}

export interface Editions {
  readonly outputs: readonly PushedOutput[];
  readonly records: readonly PushedRecord[];
  /** Where their content is read from, and all other content. */
  readonly from: (others: ContentReader) => ContentReader;
}

/** The editions of these. The same each time that they are asked for, so that nothing is pushed twice. */
export function editionsOf(
  named: readonly NamedStep[],
  { store, key, closureOf }: EditionsContext,
): Editions {
  const encoded = new Map<DerivationId, Uint8Array>();
  const trees = named.map((one) => ({ ...one, tree: editionTree(closureOf(one.step.id), store, encoded) }));
  return {
    outputs: trees.flatMap(({ names: [name], tree: { top } }) =>
      name === undefined ? [] : [{ top, name: `descriptions of ${name}` }],
    ),
    records: trees.flatMap(({ step, names, realisation: { facts }, tree: { top } }) =>
      names.map((name) => {
        const edition = { name, derivation: step.id, builtAtMs: facts.builtAtMs, descriptions: top.digest };
        const statement = { kind: 'edition' as const, edition };
        return { subject: subjectOf(statement), bytes: signRecord(statement, key) };
      }),
    ),
    from: (others) =>
      readerOf(
        trees.map(({ tree }) => tree),
        others,
      ),
  };
}

function readerOf(trees: readonly EditionTree[], others: ContentReader): ContentReader {
  if (trees.length === 0) return others;
  const directories = new Map(trees.flatMap((tree) => [...tree.directories]));
  const blobs = new Map(trees.flatMap((tree) => [...tree.blobs]));
  const bytesOf = (digest: Digest): Uint8Array | undefined => blobs.get(digest);
  return {
    directory: (digest) => directories.get(digest) ?? others.directory(digest),
    read: async (digest) => bytesOf(digest) ?? others.read(digest),
    async *stream(digest) {
      const bytes = bytesOf(digest);
      if (bytes === undefined) yield* others.stream(digest);
      else yield bytes;
    },
  };
}
