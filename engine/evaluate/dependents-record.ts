// The steps of an evaluation that depend on local folders, as the store keeps them: apart from the evaluation, because they
// are wanted only when a folder has changed.

import type { RecordReader, RecordWriter } from '../../store/index.ts';
import type { Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import { evaluatedKey, type Evaluated } from './evaluated-key.ts';

const format = 'dependents 1';

/** @param ids inputs before what needs them */
export function writeDependents(
  records: RecordWriter,
  { evaluated, target }: { readonly evaluated: Evaluated; readonly target: Target },
  ids: readonly DerivationId[],
): void {
  records.putCached(keyOf(evaluated, target), ids);
}

/** Undefined when nobody wrote them down. */
export function recordedDependents(
  records: RecordReader,
  { evaluated, target }: { readonly evaluated: Evaluated; readonly target: Target },
): readonly DerivationId[] | undefined {
  return records.cached(keyOf(evaluated, target)) as readonly DerivationId[] | undefined;
}

function keyOf(evaluated: Evaluated, target: Target): string {
  return `${format} ${evaluatedKey(evaluated)} ${target}`;
}
