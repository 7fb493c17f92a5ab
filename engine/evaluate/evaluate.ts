// The one way in: a config file to its outputs, from the kept evaluation when that still holds. What it takes to
// evaluate afresh (jiti, Babel, valibot) is loaded only when that is needed.

import type { Digest } from '../../store/base/digest.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { Flake } from '../model/flake.ts';
import { namesElsewhere, outputNamed, targetsOf, type Evaluation, type LocalSource } from './evaluation.ts';
import type { NeededInputsOptions } from './needed-inputs.ts';
import type { Computing, EvaluateOptions, LoadFlakeOptions } from './evaluate-options.ts';
import { readEvaluation, stillHolding, writeEvaluation } from './evaluation-record.ts';
import { FolderImports } from './folder-imports.ts';
import { isAboutFolder, recordLocals } from './import-locals.ts';
import { recordedEvaluation } from './recorded-evaluation.ts';

/**
 * Evaluates a config for the targets that `names` are about; for its first target when there are none, and for the others
 * too when it has no output of a name. What is wrong with one output's derivations, pins or folders is kept with that output.
 * @throws UserError `CONFIG_INVALID`, `CONFIG_IMPURE`, `LOCK_INVALID`, `TARGET_UNKNOWN`; for the sandbox, for what the config
 * reads of a value that is not there, and for an output that `names` has: `DERIVATION_INVALID`, `LOCK_MISSING_PIN`,
 * `GRAPH_CYCLE`, `SOURCE_MISSING`, `SOURCE_UNREADABLE`. With the place in the config.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { store, signal, changes, observer } = options;
  const imports = new FolderImports({ store, signal, changes, observer });
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

/** A flake, and where it says what. */
export interface LocatedFlake extends Flake {
  /** The place of each input's declaration, as far as it is found. */
  readonly inputPlaces: Readonly<Record<string, string>>;
}

/** What a config says of itself, its inputs first of all, without evaluating any output. Errors are those of `evaluate`. */
export async function loadFlake(options: LoadFlakeOptions): Promise<LocatedFlake> {
  const { loadConfig } = await import('./load-config.ts');
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  const { flake, transformer, placeOfOption } = await computing(() =>
    loadConfig({ ...options, records: options.store.records }),
  );
  await options.store.records.update((writer) => transformer.record(writer));
  const places = Object.keys(flake.inputs).map((name) => [name, placeOfOption(['inputs', name])] as const);
  return { ...flake, inputPlaces: mapByName(places) };
}

/** Which inputs the outputs ask for: see needed-inputs.ts. */
export async function neededInputs(options: NeededInputsOptions): Promise<ReadonlySet<string> | undefined> {
  return (await import('./needed-inputs.ts')).neededInputs(options);
}

// Undefined when one of them cannot be read: an evaluation says whom it concerns.
async function contentsOf(
  sources: readonly LocalSource[],
  imports: FolderImports,
): Promise<ReadonlyMap<LocalSource, Digest> | undefined> {
  const contents = new Map<LocalSource, Digest>();
  try {
    for (const source of sources) contents.set(source, await imports.contentOf(source));
    return contents;
  } catch (error) {
    if (isAboutFolder(error)) return undefined;
    throw error;
  }
}

/** What a module exports that is no config, such as a fragment for one; it is evaluated as a config is. */
export async function loadExports(options: LoadFlakeOptions): Promise<unknown> {
  const { loadModule } = await import('./load-config.ts');
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  const { exports } = await computing(() => loadModule({ ...options, records: options.store.records }));
  return exports;
}

async function keptEvaluation(
  options: EvaluateOptions,
  imports: FolderImports,
): Promise<Evaluation | undefined> {
  const { store, env, names, observer } = options;
  const kept = readEvaluation(store.records, options);
  const record = kept === undefined ? undefined : stillHolding(kept, env);
  if (record === undefined) return undefined;
  const targets = targetsOf(names, record.flake);
  const evaluation = recordedEvaluation(record, { evaluated: options, store, targets, seen: imports.seen });
  if (evaluation === undefined) return undefined;
  for (const path of evaluation.files) observer?.onFile(path);
  const wanted = names.flatMap((name) => outputNamed(evaluation, name)?.id ?? []);
  const ids = evaluation.sandbox === undefined ? wanted : [...wanted, evaluation.sandbox];
  await store.use(ids);
  // Garbage collection may have taken descriptions away that no root needs; what is there now stays, with all below it.
  if (ids.some((id) => !store.records.hasDescription(id))) return undefined;
  const contents = await contentsOf(evaluation.locals, imports);
  if (contents === undefined) return undefined;
  if (evaluation.locals.some((source) => contents.get(source) !== source.content)) {
    const { followLocals } = await import('./follow-locals.ts');
    const contentOf = (source: LocalSource): Digest => contents.get(source)!;
    return followLocals(record, { targets, contentOf, seen: imports.seen, options });
  }
  await recordLocals(evaluation.locals, store);
  if (record !== kept) await store.records.update((writer) => writeEvaluation(writer, options, record));
  return evaluation;
}
