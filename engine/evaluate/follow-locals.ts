// A kept evaluation whose local folders hold something else by now: the config need not be asked again, since no config sees
// what is in them. Only the steps that depend on those folders are identified again.

import { mapByName } from '../../store/base/map-by-name.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Target } from '../model/derivation.ts';
import { encodeDerivation, type DerivationId, type RecordValue } from '../model/encode.ts';
import { withRenamedInputs } from '../model/renamed-inputs.ts';
import { recordedDependents, writeDependents } from './dependents-record.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import type { Evaluation, LocalSource } from './evaluation.ts';
import type { EvaluatedTarget, EvaluationRecord } from './evaluation-record.ts';
import type { SeenFolders } from './folder-imports.ts';
import { localRecord, recordLocals, sourceOf } from './import-locals.ts';
import { keepEvaluation } from './keep-evaluation.ts';
import { renamePlaces } from './places-record.ts';
import { recordedEvaluation } from './recorded-evaluation.ts';

export interface Follow {
  readonly targets: readonly Target[];
  /** What the local folders of these targets were found to hold. */
  readonly contentOf: (source: LocalSource) => Digest;
  readonly seen: SeenFolders;
  readonly options: EvaluateOptions;
}

/**
 * The evaluation with what its folders hold now. Undefined when it has to be made anew: not all that it was made from is
 * described any more, or folders that were alike are no longer, or the other way round, which makes other steps one.
 */
export async function followLocals(
  record: EvaluationRecord,
  follow: Follow,
): Promise<Evaluation | undefined> {
  const { targets, options, seen } = follow;
  const { store } = options;
  const before = targets.map((target) => record.targets[target]!);
  // From now on, what is there stays, with all that it is made from.
  await store.use(before.flatMap(topsOf));
  if (before.flatMap(topsOf).some((id) => !store.records.hasDescription(id))) return undefined;

  const identified = new IdentifiedAgain();
  const followed: [Target, EvaluatedTarget][] = [];
  for (const [at, target] of targets.entries()) {
    const locals = identified.locals(before[at]!.locals, follow.contentOf);
    const dependents = recordedDependents(store.records, { evaluated: options, target });
    if (locals === undefined || dependents === undefined) return undefined;
    if (!identified.dependents(dependents, (id) => store.records.description(id))) return undefined;
    followed.push([target, identified.target(before[at]!, locals)]);
  }
  const parts = followed.map(([, part]) => part);
  await store.use(parts.flatMap(topsOf));
  const { ids, encoded, renamed } = identified;
  await keepEvaluation({
    ids,
    encodedAt: (at) => encoded[at]!,
    record: { ...record, targets: mapByName(followed) },
    writeBeside: (writer) => {
      for (const target of targets) {
        const place = { evaluated: options, target };
        const dependents = recordedDependents(store.records, place) ?? [];
        writeDependents(
          writer,
          place,
          dependents.map((id) => renamed.get(id) ?? id),
        );
        renamePlaces({ reader: store.records, writer }, place, renamed);
      }
    },
    options,
  });
  await recordLocals(
    parts.flatMap(({ locals }) => locals),
    store,
  );
  const targetsNow = { ...record.targets, ...mapByName(followed) };
  const evaluation = recordedEvaluation(
    { ...record, targets: targetsNow },
    { evaluated: options, store, targets, seen },
  );
  return evaluation && { ...evaluation, isCached: false, identified: ids.length };
}

/** New ids, and the records that they are the digests of. */
class IdentifiedAgain {
  readonly renamed = new Map<DerivationId, DerivationId>();
  readonly ids: DerivationId[] = [];
  readonly encoded: Uint8Array[] = [];

  /** The folders with what they hold now; undefined when two of them would become one step, or one become two. */
  locals(
    sources: readonly LocalSource[],
    contentOf: (source: LocalSource) => Digest,
  ): readonly LocalSource[] | undefined {
    const now = sources.map((source) => sourceOf(source, contentOf(source)));
    const count = (ids: readonly LocalSource[]): number => new Set(ids.map(({ id }) => id)).size;
    if (count(sources) < sources.length || count(now) < now.length) return undefined;
    for (const [at, source] of now.entries()) {
      const { id: before, content } = sources[at]!;
      if (content !== source.content) this.#add(before, localRecord(source, source.content));
    }
    return now;
  }

  /** False when one of them is not described any more. */
  dependents(ids: readonly DerivationId[], descriptionOf: (id: DerivationId) => unknown): boolean {
    for (const id of ids) {
      const description = descriptionOf(id) as RecordValue | undefined;
      if (description === undefined) return false;
      const record = withRenamedInputs(description, this.renamed) as RecordValue | undefined;
      if (record !== undefined) this.#add(id, record);
    }
    return true;
  }

  target(part: EvaluatedTarget, locals: readonly LocalSource[]): EvaluatedTarget {
    const now = (id: DerivationId): DerivationId => this.renamed.get(id) ?? id;
    return {
      outputs: part.outputs.map((output) => ({
        ...output,
        id: now(output.id),
        ...(output.locals !== undefined && { locals: output.locals.map(now) }),
      })),
      sandbox: part.sandbox === undefined ? undefined : now(part.sandbox),
      locals,
      lineages: mapByName(
        Object.entries(part.lineages).map(([id, lineage]) => [now(id as DerivationId), lineage]),
      ),
    };
  }

  // A step of two targets is met twice.
  #add(before: DerivationId, record: RecordValue): void {
    if (this.renamed.has(before)) return;
    const { id, encoded } = encodeDerivation(record);
    this.renamed.set(before, id);
    this.ids.push(id);
    this.encoded.push(encoded);
  }
}

function topsOf({ outputs, sandbox }: EvaluatedTarget): DerivationId[] {
  const ids = outputs.map(({ id }) => id);
  return sandbox === undefined ? ids : [...ids, sandbox];
}
