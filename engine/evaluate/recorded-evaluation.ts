// An evaluation out of the store's records. Steps come to life one by one, as they are asked for. Does not ask whether
// the record still holds.

import type { CborValue } from '../../store/base/cbor.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import { decodeDerivation } from '../model/decode.ts';
import type { Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step, StepSource } from '../step.ts';
import type { Evaluated } from './evaluated-key.ts';
import type { Evaluation, LocalSource } from './evaluation.ts';
import type { EvaluationRecord } from './evaluation-record.ts';
import { folderKey, type SeenFolders } from './folder-imports.ts';
import { lineagesFor, localStep, placed, type LineageOf } from './placed-steps.ts';
import { recordedPlaces } from './places-record.ts';

export interface RecordedOptions {
  readonly evaluated: Evaluated;
  readonly store: Store;
  readonly targets: readonly Target[];
  readonly seen: SeenFolders;
}

/** The kept evaluation for some targets; undefined when it was not made for all of them. */
export function recordedEvaluation(
  record: EvaluationRecord,
  { evaluated, store, targets, seen }: RecordedOptions,
): Evaluation | undefined {
  const parts = targets.flatMap((target) => record.targets[target] ?? []);
  if (parts.length < targets.length) return undefined;
  const { configPath } = evaluated;
  const outputs = parts.flatMap((part) => part.outputs);
  const locals = eachOnce(parts.flatMap((part) => part.locals));
  return {
    configPath,
    flake: record.flake,
    outputs: new Map(outputs.map((output) => [`${output.name}@${output.target}`, output])),
    broken: new Map(),
    sandbox: parts[0]?.sandbox,
    steps: recordedSteps((id) => store.records.description(id), locals, lineagesFor(configPath, parts)),
    placeOf: recordedPlaces(store.records, { evaluated, targets }),
    locals,
    seen,
    files: record.files.map((file) => file.path),
    isCached: true,
    identified: 0,
  };
}

// Several targets may be made from one folder.
function eachOnce(sources: readonly LocalSource[]): readonly LocalSource[] {
  return [...new Map(sources.map((source) => [`${source.id} ${folderKey(source)}`, source])).values()];
}

function recordedSteps(
  descriptionOf: (id: DerivationId) => CborValue | undefined,
  locals: readonly LocalSource[],
  lineageOf: LineageOf,
): StepSource {
  const known = new Map<DerivationId, Step>();
  for (const source of locals) known.set(source.id, localStep(source, lineageOf));
  const step = (id: DerivationId): Step => {
    const found = known.get(id) ?? decodeStep(id);
    known.set(id, found);
    return found;
  };
  const decodeStep = (id: DerivationId): Step => {
    const decoded = decodeDerivation(descriptionOf(id) ?? gone(id), (input) => step(input).derivation);
    return placed({ id, ...decoded }, lineageOf);
  };
  return step;
}

function gone(id: DerivationId): never {
  throw new UserError('STORE_CORRUPT', `the store no longer knows the derivation ${id}`, {
    hint: 'Evaluate the config again: run the command with --no-eval-cache.',
    fault: 'environment',
  });
}
