// An evaluation as the store keeps it, and whether it still holds: the same files, environment and cairn. Reading it
// is all that a command with nothing to do needs, so it imports as little as it can.

import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import type { CborValue } from '../../store/base/cbor.ts';
import type { RecordReader, RecordWriter } from '../../store/index.ts';
import type { Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Lineage } from '../step.ts';
import { evaluatedKey, type Evaluated } from './evaluated-key.ts';
import type { EvaluatedOutput, FlakeFacts, LocalSource } from './evaluation.ts';
import { anyStamp } from './file-stamp.ts';
import { leadsThereStill, observeAgain, type ObservedFile, type ObservedLink } from './observations.ts';

/** Everything an evaluation depended on, and what it came to for each target it was made for. */
export interface EvaluationRecord {
  readonly evaluator: string;
  readonly files: readonly ObservedFile[];
  readonly links: readonly ObservedLink[];
  /** Declared variables by name; one that was not set is null. */
  readonly env: Readonly<Record<string, string | null>>;
  readonly flake: FlakeFacts;
  readonly targets: Readonly<Partial<Record<Target, EvaluatedTarget>>>;
}

/** What the flake gave for one target. */
export interface EvaluatedTarget {
  readonly outputs: readonly EvaluatedOutput[];
  readonly sandbox: DerivationId | undefined;
  readonly locals: readonly LocalSource[];
  /** Of those steps that share their name with another one. */
  readonly lineages: Readonly<Record<DerivationId, Lineage>>;
}

/** Raised when the record's form changes; older ones are then not found. */
const format = 'evaluation 4';

/** The kept evaluation, whether it still holds or not. */
export function readEvaluation(records: RecordReader, evaluated: Evaluated): EvaluationRecord | undefined {
  return records.cached(keyOf(evaluated)) as EvaluationRecord | undefined;
}

export function writeEvaluation(records: RecordWriter, evaluated: Evaluated, record: EvaluationRecord): void {
  records.putCached(keyOf(evaluated), record as unknown as CborValue);
}

/**
 * The record as it is now, with the stamps that files have now, when it still holds: the very same object when not even
 * a stamp has changed; undefined when anything else has.
 */
export function stillHolding(
  record: EvaluationRecord,
  env: Readonly<Record<string, string | undefined>>,
): EvaluationRecord | undefined {
  if (record.evaluator !== evaluatorVersion()) return undefined;
  if (Object.entries(record.env).some(([name, value]) => (ownMember(env, name) ?? null) !== value))
    return undefined;
  if (!record.links.every(leadsThereStill)) return undefined;
  const files: ObservedFile[] = [];
  for (const file of record.files) {
    const now = observeAgain(file);
    if (now === undefined) return undefined;
    files.push(now);
  }
  return files.every((file, at) => file === record.files[at]) ? record : { ...record, files };
}

/** Which cairn and which Node.js evaluate, as far as a result could depend on them. */
export function evaluatorVersion(): string {
  const built = ['package.json', 'dist', 'dist/engine/model/index.js', 'dist/derivations/index.js'];
  return [
    process.version,
    process.arch,
    packageRoot,
    ...built.map((path) => anyStamp(join(packageRoot, path))),
  ].join('\n');
}

function keyOf(evaluated: Evaluated): string {
  return `${format} ${evaluatedKey(evaluated)}`;
}
