// Evaluates a config: loads it, calls it for each target, imports its local folders, identifies what it gave, and keeps
// all of that for the next time.

import { dirname } from 'node:path';
import { bug } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { RecordWriter } from '../../store/index.ts';
import type { Derivation, Local, Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Lineage, Step } from '../step.ts';
import { callFlake, type FlakeOutputs } from './call-flake.ts';
import type { Computing, EvaluateOptions } from './evaluate-options.ts';
import { targetsOf, type EvaluatedOutput, type Evaluation, type LocalSource } from './evaluation.ts';
import {
  evaluatorVersion,
  readEvaluation,
  stillHolding,
  writeEvaluation,
  type EvaluatedTarget,
  type EvaluationRecord,
} from './evaluation-record.ts';
import { closureOf, identify, localsOf, type Identified } from './identify.ts';
import { importLocals } from './import-locals.ts';
import { lineagePrefix, sharedLineages } from './lineages.ts';
import { loadConfig, type LoadedConfig } from './load-config.ts';
import { lineagesFor, localStep, placed } from './placed-steps.ts';
import { writePlaces } from './places-record.ts';

/** Evaluates whether or not an evaluation is kept. Errors are those of `evaluate`. */
export async function evaluateAfresh(options: EvaluateOptions): Promise<Evaluation> {
  const { configPath, store, names, signal } = options;
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  const { config, given } = await computing(() => {
    const loaded = loadConfig({ ...options, records: store.records });
    return { config: loaded, given: callFlake(loaded, targetsOf(names, loaded.flake), options) };
  });
  const roots = rootsOf(given);
  const closure = closureOf(roots);
  const locals = await importLocals(localsOf(closure), { store, folder: dirname(configPath), signal });
  const identified = identify(closure, (local) => locals.get(local)!.content);
  const record = evaluationRecord(config, given, { identified, locals, configPath });
  // Told before it is recorded what it is made from: from then on, all of that stays.
  await store.use(roots.map((root) => identified.idOf(root)));
  const places = placesOf(closure, config, identified);
  await keep({ config, identified, record, places, options });
  return { ...evaluation(record, identified.steps, locals, configPath), placeOf: (id) => places.get(id) };
}

// Equal derivations that were made twice are one step: the first place is as good as the second.
function placesOf(
  closure: readonly Derivation[],
  config: LoadedConfig,
  { idOf }: Identified,
): ReadonlyMap<DerivationId, string> {
  const places = new Map<DerivationId, string>();
  for (const derivation of closure) {
    const place = config.placeOf(derivation);
    const id = idOf(derivation);
    if (place !== undefined && !places.has(id)) places.set(id, place);
  }
  return places;
}

interface Found {
  readonly identified: Identified;
  readonly locals: ReadonlyMap<Local, LocalSource>;
  readonly configPath: string;
}

function rootsOf({ outputs, sandbox }: FlakeOutputs) {
  const roots = [...outputs.values()].flatMap((named) => named.map(({ derivation }) => derivation));
  return sandbox === undefined ? roots : [...roots, sandbox];
}

function evaluationRecord(config: LoadedConfig, given: FlakeOutputs, found: Found): EvaluationRecord {
  const { description, targets, mirrors, environment } = config.flake;
  const sandbox = given.sandbox === undefined ? undefined : found.identified.idOf(given.sandbox);
  const parts: Partial<Record<Target, EvaluatedTarget>> = {};
  const lineages = lineagesOf(given, found);
  for (const [target, named] of given.outputs) {
    const outputs = named.map(({ name, derivation, description }): EvaluatedOutput => ({
      id: found.identified.idOf(derivation),
      name,
      target,
      kind: derivation.kind,
      description,
    }));
    const roots = [...named.map(({ derivation }) => derivation), ...(given.sandbox ? [given.sandbox] : [])];
    const locals = found.locals.size === 0 ? [] : localsOf(closureOf(roots));
    parts[target] = { outputs, sandbox, locals: sourcesOf(locals, found.locals), lineages };
  }
  return {
    evaluator: evaluatorVersion(),
    files: config.observations.files,
    links: config.observations.links,
    env: mapByName(Object.entries(given.env).map(([name, value]) => [name, value ?? null])),
    flake: { description, targets, mirrors, environment },
    targets: parts,
  };
}

// Of all that was evaluated together: what is known of one target is known of each.
function lineagesOf(
  { outputs, sandbox }: FlakeOutputs,
  { identified, configPath }: Found,
): Record<DerivationId, Lineage> {
  const { idOf, steps } = identified;
  const roots = [...outputs].flatMap(([target, named]) =>
    named.map(({ name, derivation }) => ({ key: `${name}@${target}`, id: idOf(derivation) })),
  );
  if (sandbox !== undefined) roots.push({ key: 'sandbox', id: idOf(sandbox) });
  return mapByName(sharedLineages(lineagePrefix(configPath), steps, roots));
}

// Several derivations may stand for one folder.
function sourcesOf(locals: readonly Local[], sources: ReadonlyMap<Local, LocalSource>): LocalSource[] {
  return [...new Set(locals.map((local) => sources.get(local)!))];
}

interface Kept {
  readonly config: LoadedConfig;
  readonly identified: Identified;
  readonly record: EvaluationRecord;
  readonly places: ReadonlyMap<DerivationId, string>;
  readonly options: EvaluateOptions;
}

/** So many descriptions are written at once: what one transaction writes is in memory several times. */
const describedAtOnce = 10_000;

// Descriptions first: one that is left over, because this ends half-way, is garbage like any other.
async function keep(kept: Kept): Promise<void> {
  const { identified, options } = kept;
  const { records } = options.store;
  // In the order of their keys, they fill the database's pages one after the other.
  const missing = (): DerivationId[] =>
    [...identified.encoded.keys()].filter((id) => !records.hasDescription(id)).sort();
  const fresh = missing();
  const describe = (writer: RecordWriter): void => {
    for (const id of fresh.splice(0, describedAtOnce))
      writer.putEncodedDescription(id, identified.encoded.get(id)!);
  };
  while (fresh.length > describedAtOnce) await records.update(describe);
  await records.update((writer) => {
    describe(writer);
    writeRest(writer, kept);
  });
  // What was left over from before, or was written first, may have been collected before all of it hung together.
  if (missing().length > 0) await keep(kept);
}

function writeRest(writer: RecordWriter, { config, record, places, options }: Kept): void {
  config.transformer.record(writer);
  for (const target of Object.keys(record.targets) as Target[])
    writePlaces(writer, { configPath: options.configPath, target }, places);
  writeEvaluation(writer, options.configPath, withOtherTargets(record, options));
}

// What was kept for other targets stays, as long as it holds.
function withOtherTargets(record: EvaluationRecord, options: EvaluateOptions): EvaluationRecord {
  const kept = readEvaluation(options.store.records, options.configPath);
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

function evaluation(
  record: EvaluationRecord,
  steps: Identified['steps'],
  locals: ReadonlyMap<Local, LocalSource>,
  configPath: string,
): Omit<Evaluation, 'placeOf'> {
  const parts = Object.values(record.targets);
  const lineageOf = lineagesFor(configPath, parts);
  const known = new Map<DerivationId, Step>();
  for (const source of locals.values()) known.set(source.id, localStep(source, lineageOf));
  const step = (id: DerivationId): Step => {
    const found =
      known.get(id) ?? placed(steps.get(id) ?? bug(`derivation ${id} was not evaluated`), lineageOf);
    known.set(id, found);
    return found;
  };
  return {
    configPath,
    flake: record.flake,
    outputs: new Map(
      parts.flatMap((part) => part.outputs).map((output) => [`${output.name}@${output.target}`, output]),
    ),
    sandbox: parts[0]?.sandbox,
    steps: step,
    locals: [...new Set(locals.values())],
    files: record.files.map((file) => file.path),
    isCached: false,
  };
}
