// What came of building a step a second time: the same, or which files differ from which byte on.

import { stepRef, type CheckResult } from '../../engine/index.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import type { RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';
import { stepFields } from '../render/json.ts';
import { stepName } from '../render/names.ts';
import { describeDifference, differenceLine } from './file-difference.ts';

export async function showCheckResult(
  { out, shared }: Context,
  result: CheckResult,
  { store, promote }: { readonly store: Store; readonly promote: boolean | undefined },
): Promise<void> {
  const { step, kind } = result;
  const name = stepName(stepRef(step));
  const files = kind === 'different' ? await differencesOf(result, store) : [];
  if (shared.json === true) {
    const promoted = promote === true ? true : undefined;
    writeRecords(out, [{ type: 'check', ...stepFields(stepRef(step)), promoted, result: kind, files }]);
    return;
  }
  const colour = kind === 'identical' ? out.style.good : out.style.bad;
  out.lines([`${colour(kind)}  ${name}`, ...files.map(({ line }) => `  ${line}`)]);
}

async function differencesOf(
  { differences }: Extract<CheckResult, { kind: 'different' }>,
  store: Store,
): Promise<RecordOf<'check'>['files'][number][]> {
  const found: RecordOf<'check'>['files'][number][] = [];
  for (const { output, paths } of differences) {
    for (const path of paths) {
      const described = await describeDifference(path, store);
      found.push({ output, ...described, line: differenceLine(described) });
    }
  }
  return found;
}
