// Evaluates a config: loads it, calls it for each target, imports its local folders, identifies what it gave, and keeps
// all of that for the next time.

import { dirname } from 'node:path';
import { bug } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { Derivation, Local, Target } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Lineage } from '../step.ts';
import { callFlake, topsOf, type FlakeOutputs } from './call-flake.ts';
import type { Computing, EvaluateOptions } from './evaluate-options.ts';
import {
  targetsOf,
  type BrokenOutput,
  type EvaluatedOutput,
  type Evaluation,
  type LocalSource,
} from './evaluation.ts';
import { evaluatorVersion, type EvaluatedTarget, type EvaluationRecord } from './evaluation-record.ts';
import type { FolderImports, SeenFolders } from './folder-imports.ts';
import { closureOf, identify, localsOf, type Identified } from './identify.ts';
import { importLocals } from './import-locals.ts';
import { keepEvaluation } from './keep-evaluation.ts';
import { localsBelow } from './locals-below.ts';
import { lineagePrefix, sharedLineages } from './lineages.ts';
import { writeDependents } from './dependents-record.ts';
import { loadConfig, type LoadedConfig } from './load-config.ts';
import { writePlaces } from './places-record.ts';
import { withoutTangled, withoutUnreadable } from './sound-outputs.ts';
import { lineagesFor, localStep, placed } from './placed-steps.ts';

/** Evaluates whether or not an evaluation is kept. Errors are those of `evaluate`. */
export async function evaluateAfresh(options: EvaluateOptions, imports: FolderImports): Promise<Evaluation> {
  const { configPath, store, names } = options;
  const computing: Computing = options.computing ?? ((work) => Promise.resolve(work()));
  const { config, called } = await computing(() => {
    const loaded = loadConfig({ ...options, records: store.records });
    return { config: loaded, called: callFlake(loaded, targetsOf(names, loaded.flake), options) };
  });
  const connected = withoutTangled(called);
  const folder = dirname(configPath);
  const imported = await importLocals(localsOf(connected.closure), { store, imports, folder });
  for (const [local, error] of imported.errors) error.where ??= config.placeOf(local);
  const locals = imported.sources;
  const { given, closure } = withoutUnreadable(connected, imported.errors);
  const identified = identify(closure, (local) => locals.get(local)!.content);
  const below = localsBelow(identified.steps);
  const dependents = [...below.keys()].filter((id) => !isLocal(identified, id));
  const record = evaluationRecord(config, given, { identified, locals, below, configPath });
  // Told before it is recorded what it is made from: from then on, all of that stays.
  await store.use(topsOf(given).map((top) => identified.idOf(top)));
  const places = placesOf(closure, config, identified);
  // What is broken may be mended without any file that was read being changed.
  const holds = given.broken.length === 0;
  await keepEvaluation({
    ids: [...identified.steps.keys()],
    encodedAt: (at) => identified.encoded.at(at),
    record: holds ? record : undefined,
    writeBeside(writer) {
      config.transformer.record(writer);
      if (!holds) return;
      for (const target of given.outputs.keys()) {
        writePlaces(writer, { evaluated: options, target }, places);
        writeDependents(writer, { evaluated: options, target }, dependents);
      }
    },
    options,
  });
  identified.encoded.free();
  const { broken } = given;
  const { seen } = imports;
  return evaluation(record, { steps: identified.steps, broken, places, locals, seen, configPath });
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
  readonly below: ReadonlyMap<DerivationId, ReadonlySet<DerivationId>>;
  readonly configPath: string;
}

function isLocal({ steps }: Identified, id: DerivationId): boolean {
  return steps.get(id)!.derivation.kind === 'local';
}

function evaluationRecord(config: LoadedConfig, given: FlakeOutputs, found: Found): EvaluationRecord {
  const { description, targets, mirrors, caches, trust, executor, environment } = config.flake;
  const sandbox = given.sandbox === undefined ? undefined : found.identified.idOf(given.sandbox);
  const parts: Partial<Record<Target, EvaluatedTarget>> = {};
  const lineages = lineagesOf(given, found);
  for (const [target, named] of given.outputs) {
    const outputs = named.map(({ name, derivation, description }): EvaluatedOutput => {
      const id = found.identified.idOf(derivation);
      const below = found.below.get(id);
      const { kind } = derivation;
      return { id, name, target, kind, description, ...(below !== undefined && { locals: [...below] }) };
    });
    const tops = [...named.map(({ derivation }) => derivation), ...(given.sandbox ? [given.sandbox] : [])];
    const locals = found.locals.size === 0 ? [] : localsOf(closureOf(tops));
    parts[target] = { outputs, sandbox, locals: sourcesOf(locals, found.locals), lineages };
  }
  return {
    evaluator: evaluatorVersion(),
    files: config.observations.files,
    links: config.observations.links,
    env: mapByName(Object.entries(given.env).map(([name, value]) => [name, value ?? null])),
    flake: {
      ...{ description, targets, mirrors, caches, trust, environment },
      ...(executor !== undefined && { executor }),
    },
    targets: parts,
  };
}

// Of all that was evaluated together: what is known of one target is known of each.
function lineagesOf(
  { outputs, sandbox }: FlakeOutputs,
  { identified, configPath }: Found,
): Record<DerivationId, Lineage> {
  const { idOf, steps } = identified;
  const tops = [...outputs].flatMap(([target, named]) =>
    named.map(({ name, derivation }) => ({ key: `${name}@${target}`, id: idOf(derivation) })),
  );
  if (sandbox !== undefined) tops.push({ key: 'sandbox', id: idOf(sandbox) });
  return mapByName(sharedLineages(lineagePrefix(configPath), steps, tops));
}

// Several derivations may stand for one folder.
function sourcesOf(locals: readonly Local[], sources: ReadonlyMap<Local, LocalSource>): LocalSource[] {
  return [...new Set(locals.map((local) => sources.get(local)!))];
}

interface Evaluated {
  readonly broken: readonly BrokenOutput[];
  readonly steps: Identified['steps'];
  readonly places: ReadonlyMap<DerivationId, string>;
  readonly locals: ReadonlyMap<Local, LocalSource>;
  readonly seen: SeenFolders;
  readonly configPath: string;
}

// What it is given is all that stays in memory as long as the evaluation does.
function evaluation(
  record: EvaluationRecord,
  { steps, broken, places, locals, seen, configPath }: Evaluated,
): Evaluation {
  const parts = Object.values(record.targets);
  const lineageOf = lineagesFor(configPath, parts);
  const sources = [...new Set(locals.values())];
  const localSteps = new Map(sources.map((source) => [source.id, localStep(source, lineageOf)]));
  return {
    configPath,
    flake: record.flake,
    outputs: new Map(
      parts.flatMap((part) => part.outputs).map((output) => [`${output.name}@${output.target}`, output]),
    ),
    broken: new Map(broken.map((output) => [`${output.name}@${output.target}`, output])),
    sandbox: parts[0]?.sandbox,
    steps: (id) =>
      localSteps.get(id) ?? placed(steps.get(id) ?? bug(`derivation ${id} was not evaluated`), lineageOf),
    placeOf: (id) => places.get(id),
    locals: sources,
    seen,
    files: record.files.map((file) => file.path),
    isCached: false,
    identified: steps.size,
  };
}
