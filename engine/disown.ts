// What becomes of a result that was made incrementally and that a clean build does not give: it is forgotten, with what was
// memoised from it and the folders that it was made in, or with. What follows from it is built again.

import type { Digest } from '../store/base/digest.ts';
import type { Store } from '../store/index.ts';
import type { Step } from './step.ts';

/** Forgets it. What the clean build gave is for the caller to record, afterwards. */
export async function disown({ lineage }: Step, action: Digest, store: Store): Promise<void> {
  await (await store.maintenance()).forgetResult(action);
  await store.kept.forget(lineage);
  await store.compileCaches.forget(lineage);
}

/** Says so, for people. */
export function disowned(name: string, outputs: readonly string[]): string {
  return (
    `an incremental build of ${name} gave another ${outputs.join(', ')} than a clean one: ` +
    'its result is forgotten, and its folders are thrown away'
  );
}
