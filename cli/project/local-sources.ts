// Says of which local sources a result is: once for each command, by an event for each folder that stands for an input.

import { folderKey, outputNamed, type Emit, type Evaluation, type LocalSource } from '../../engine/index.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { workTreeOf } from './work-tree.ts';

export interface Telling {
  readonly store: Store;
  readonly evaluation: Evaluation;
  /** Names of outputs that the command is about. */
  readonly names: readonly string[];
  /** Inputs that were overridden on the command line. */
  readonly overridden: readonly string[];
  /** Where it is said; not given where no renderer is open. */
  readonly emit: Emit | undefined;
}

/** Resolves when all is said. */
export async function tellLocalSources(context: Context, telling: Telling): Promise<void> {
  const { evaluation, names, overridden, store } = telling;
  if (names.length === 0) return;
  const { signal } = context;
  const emit = telling.emit ?? (await import('../render/line-emit.ts')).lineEmit(context);
  const sources = sourcesOf(evaluation, names).filter(({ standsFor }) => standsFor !== undefined);
  for (const input of overridden)
    if (!sources.some(({ standsFor }) => standsFor === input))
      emit({
        type: 'notice',
        message: `nothing of ${names.join(', ')} is made from input ${input}: its override changes nothing`,
        step: undefined,
      });
  await Promise.all(
    sources.map(async (source) => {
      const seen = evaluation.seen.get(folderKey(source));
      const workTree = await workTreeOf(source.path, { records: store.records, seen, signal });
      const { standsFor: input, path: folder, content: tree } = source;
      emit({ type: 'local-source', input: input!, folder, tree, workTree });
    }),
  );
}

// What is not the name of an output stands for a step somewhere below one.
function sourcesOf(evaluation: Evaluation, names: readonly string[]): readonly LocalSource[] {
  const outputs = names.map((name) => outputNamed(evaluation, name));
  if (outputs.includes(undefined)) return evaluation.locals;
  const ids = new Set(outputs.flatMap((output) => output?.locals ?? []));
  return evaluation.locals.filter(({ id }) => ids.has(id));
}
