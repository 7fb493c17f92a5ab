// The one way in: a config file to its outputs, from the kept evaluation when that still holds. What it takes to
// evaluate afresh (jiti, Babel, valibot) is loaded only when that is needed.

import type { Digest } from '../../store/base/digest.ts';
import type { Flake } from '../model/flake.ts';
import { namesElsewhere, outputNamed, targetsOf, type Evaluation, type LocalSource } from './evaluation.ts';
import type { Computing, EvaluateOptions, LoadFlakeOptions } from './evaluate-options.ts';
import { readEvaluation, stillHolding, writeEvaluation } from './evaluation-record.ts';
import { FolderImports } from './folder-imports.ts';
import { recordLocals } from './import-locals.ts';
import { recordedEvaluation } from './recorded-evaluation.ts';

/**
 * Evaluates a config for the targets that `names` are about; for its first target when there are none, and for the others
 * too when it has no output of a name.
 * @throws UserError `CONFIG_INVALID`, `CONFIG_IMPURE`, `DERIVATION_INVALID` with the place in the config; `LOCK_INVALID`,
 * `LOCK_MISSING_PIN`, `TARGET_UNKNOWN`, `GRAPH_CYCLE`, `SOURCE_UNREADABLE`.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { store, signal, changes } = options;
  const imports = new FolderImports({ store, signal, changes });
  const evaluation = await evaluateTargets(options, imports);
  const elsewhere = namesElsewhere(evaluation, options.names);
  return elsewhere.length === 0
    ? evaluation
    : evaluateTargets({ ...options, names: [...options.names, ...elsewhere] }, imports);
}

async function evaluateTargets(options: EvaluateOptions, imports: FolderImports): Promise<Evaluation> {
  options.signal?.throwIfAborted();
  const kept = options.useCache === false ? undefined : await keptEvaluation(options, imports);
  if (kept !== undefined) return kept;
  const { evaluateAfresh } = await import('./evaluate-afresh.ts');
  return evaluateAfresh(options, imports);
}

/** What a config says of itself, its inputs first of all, without evaluating any output. Errors are those of `evaluate`. */
export async function loadFlake(options: LoadFlakeOptions): Promise<Flake> {
  const { loadConfig } = await import('./load-config.ts');
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  const { flake, transformer } = await computing(() =>
    loadConfig({ ...options, records: options.store.records }),
  );
  await options.store.records.update((writer) => transformer.record(writer));
  return flake;
}

async function keptEvaluation(
  options: EvaluateOptions,
  imports: FolderImports,
): Promise<Evaluation | undefined> {
  const { store, env, names } = options;
  const kept = readEvaluation(store.records, options);
  const record = kept === undefined ? undefined : stillHolding(kept, env);
  if (record === undefined) return undefined;
  const targets = targetsOf(names, record.flake);
  const evaluation = recordedEvaluation(record, { evaluated: options, store, targets, seen: imports.seen });
  if (evaluation === undefined) return undefined;
  const wanted = names.flatMap((name) => outputNamed(evaluation, name)?.id ?? []);
  const ids = evaluation.sandbox === undefined ? wanted : [...wanted, evaluation.sandbox];
  await store.use(ids);
  // Garbage collection may have taken descriptions away that no root needs; what is there now stays, with all below it.
  if (ids.some((id) => !store.records.hasDescription(id))) return undefined;
  const contents = new Map<LocalSource, Digest>();
  for (const source of evaluation.locals) contents.set(source, await imports.contentOf(source));
  if (evaluation.locals.some((source) => contents.get(source) !== source.content)) {
    const { followLocals } = await import('./follow-locals.ts');
    const contentOf = (source: LocalSource): Digest => contents.get(source)!;
    return followLocals(record, { targets, contentOf, seen: imports.seen, options });
  }
  await recordLocals(evaluation.locals, store);
  if (record !== kept) await store.records.update((writer) => writeEvaluation(writer, options, record));
  return evaluation;
}
