// Writes an evaluation down for the next time: the descriptions of its steps, what it came to, and whatever belongs to that.
// Knows nothing of how it came about.

import type { RecordWriter } from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import { readEvaluation, stillHolding, writeEvaluation, type EvaluationRecord } from './evaluation-record.ts';

export interface Kept {
  /** The steps that may not be described yet; all others of the evaluation are. */
  readonly ids: readonly DerivationId[];
  /** The canonical record of the step that has this place among `ids`. */
  readonly encodedAt: (at: number) => Uint8Array;
  /** Undefined when it is not to be taken for the evaluation another time. */
  readonly record: EvaluationRecord | undefined;
  /** Writes what else is kept beside the evaluation. */
  readonly writeBeside: (writer: RecordWriter) => void;
  readonly options: EvaluateOptions;
}

/** So many descriptions are written at once: what one transaction writes is in memory several times. */
const describedAtOnce = 5_000;

/** Descriptions first: one that is left over, because this ends half-way, is garbage like any other. */
export async function keepEvaluation(kept: Kept): Promise<void> {
  const { records } = kept.options.store;
  const before = records.deletions();
  await writeDescriptions(kept);
  // What was left over from before, or was written first, may have been collected before all of it hung together.
  if (records.deletions() !== before) await keepEvaluation(kept);
}

async function writeDescriptions(kept: Kept): Promise<void> {
  const { ids, encodedAt, options } = kept;
  const { records } = options.store;
  // In the order of their keys, they fill the database's pages one after the other.
  const fresh = [...ids.keys()]
    .filter((at) => !records.hasDescription(ids[at]!))
    .sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
  const describe = (writer: RecordWriter): void => {
    for (const at of fresh.splice(0, describedAtOnce)) writer.putEncodedDescription(ids[at]!, encodedAt(at));
  };
  while (fresh.length > describedAtOnce) await records.update(describe);
  await records.update((writer) => {
    describe(writer);
    kept.writeBeside(writer);
    if (kept.record !== undefined) writeEvaluation(writer, options, withOtherTargets(kept.record, options));
  });
}

// What was kept for other targets stays, as long as it holds.
function withOtherTargets(record: EvaluationRecord, options: EvaluateOptions): EvaluationRecord {
  const kept = readEvaluation(options.store.records, options);
  const before = kept === undefined ? undefined : stillHolding(kept, options.env);
  if (before === undefined) return record;
  const files = new Map([...before.files, ...record.files].map((file) => [file.path, file]));
  const links = new Map([...before.links, ...record.links].map((link) => [link.path, link]));
  return {
    ...record,
    files: [...files.values()],
    links: [...links.values()],
    targets: { ...before.targets, ...record.targets },
  };
}
