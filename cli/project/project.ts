// One command's hold on a project: its store, its evaluated config, a build of it. Opened together, closed together.

import { resolve } from 'node:path';
import {
  Build,
  evaluate,
  findConfig,
  lockPathOf,
  openWorkshop,
  type Emit,
  type EvaluateOptions,
  type Evaluation,
  type OpenWorkshopOptions,
  type Step,
  type Workshop,
} from '../../engine/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { plainText } from '../render/plain-text.ts';
import { cacheSettings } from '../person/cache-settings.ts';
import { allOverrides } from './overrides.ts';
import { executorOf } from './executor.ts';
import { commandOf } from './steps.ts';
import { compileCacheSize, configuredSize, keepStoreToSize } from './store-size.ts';
import { wantedOutput, splitPlace, type FoundOutput } from './named-outputs.ts';

export interface Project {
  readonly store: Store;
  readonly evaluation: Evaluation;
  readonly build: Build;
  /** The flake's output of that name. @throws UserError `TARGET_UNKNOWN`. */
  readonly find: (target: string) => FoundOutput;
  /** Resolves when it was said which local sources it is made from: to be waited for before a renderer closes. */
  readonly told: Promise<void>;
  /** The command of an output's name that the output is made from, if there is one. */
  readonly commandBehind: (target: FoundOutput) => Step | undefined;
}

/** A project whose store is closed with it. */
export type OpenProject = Project & AsyncDisposable;

export interface Settings {
  /** Sandboxes at once, and processes at once of all makes in them together; the number of cores when not given. */
  readonly jobs?: number;
  /** Use nothing but this machine. */
  readonly offline?: boolean;
  /** URLs of caches to ask after the config's. */
  readonly caches?: readonly string[];
  /** False to ask none. */
  readonly usesCaches?: boolean;
  /** Where commands are run: `local`, or a server's URL; as the environment or the config says, when not given. */
  readonly executor?: string;
  /** True: commands are run here, whatever is configured. */
  readonly runsHere?: boolean;
}

export interface ProjectOptions {
  /** What was named on the command line; only those machines' outputs are evaluated. */
  readonly targets?: readonly string[];
  readonly settings?: Settings;
  readonly emit?: Emit;
  /** One that is open already, and stays so; otherwise the project opens and closes its own. */
  readonly store?: Store;
}

/**
 * Opens the project that this folder is in, or the one of `--config`. Dispose of it to close the store.
 * @throws UserError for whatever is wrong with config, lock or store.
 */
export async function openProject(context: Context, options: ProjectOptions = {}): Promise<OpenProject> {
  const configPath = configOf(context);
  const sizeBytes = configuredSize(context.env);
  const store = options.store ?? (await openStore(context.shared.store));
  try {
    const evaluation = await evaluateConfig(context, { configPath, store, targets: options.targets ?? [] });
    return makeProject(context, { store, evaluation, options, sizeBytes });
  } catch (error) {
    if (options.store === undefined) await store.close();
    throw error;
  }
}

/** The same with the outputs for every target that the flake has. */
export async function openWholeProject(context: Context, options: ProjectOptions = {}): Promise<OpenProject> {
  const project = await openProject(context, options);
  const { targets } = project.evaluation.flake;
  if (targets.length === 1) return project;
  await project[Symbol.asyncDispose]();
  // Only the part behind the "@" decides what is evaluated.
  return openProject(context, { ...options, targets: targets.map((target) => `all@${target}`) });
}

/** The config that a command is about, as an absolute path. @throws UserError `CONFIG_MISSING`. */
export function configOf({ shared }: Context): string {
  return shared.config === undefined ? findConfig(process.cwd()) : resolve(shared.config);
}

export interface EvaluateConfigOptions extends Pick<
  EvaluateOptions,
  'configPath' | 'store' | 'observer' | 'changes'
> {
  /** What was named on the command line. */
  readonly targets: readonly string[];
  /** Something is under way that would have to be put in order if a signal ended the process at once. */
  readonly isBusy?: boolean;
}

/** Evaluates a config as the command line asks for it. Errors are those of `evaluate`. */
export function evaluateConfig(
  { env, err, signal, shared, interruption }: Context,
  { targets, isBusy = false, ...options }: EvaluateConfigOptions,
): Promise<Evaluation> {
  const names = namesIn(targets);
  const onPrint = (text: string): void => err.write(plainText(text));
  const useCache = shared.evalCache !== false;
  const computing = isBusy ? {} : { computing: interruption.computing };
  const overrides = allOverrides(shared.override, env);
  return evaluate({ ...options, overrides, env, names, signal, onPrint, useCache, ...computing });
}

// Loaded where there is something to tell: most commands are about what is pinned.
async function tellOfLocals(
  context: Context,
  { store, evaluation, options }: Omit<ProjectParts, 'sizeBytes'>,
): Promise<void> {
  const overridden = Object.keys(allOverrides(context.shared.override, context.env));
  if (overridden.length === 0 && evaluation.locals.every(({ standsFor }) => standsFor === undefined)) return;
  const { tellLocalSources } = await import('./local-sources.ts');
  const names = namesIn(options.targets ?? []);
  await tellLocalSources(context, { store, evaluation, names, overridden, emit: options.emit });
}

/** The names of outputs in what was typed. */
function namesIn(targets: readonly string[]): readonly string[] {
  return targets.flatMap((text) => {
    const { what } = splitPlace(text);
    return typeof what === 'string' ? [what.replace(/:.*/s, '')] : [];
  });
}

interface ProjectParts {
  readonly store: Store;
  readonly evaluation: Evaluation;
  readonly options: ProjectOptions;
  /** How large the store may be. */
  readonly sizeBytes: number | undefined;
}

function makeProject(context: Context, { store, evaluation, options, sizeBytes }: ProjectParts): OpenProject {
  const workshop = openWorkshop({ store, ...workshopSettings(context, evaluation, options.settings) });
  const { signal } = context;
  const project = projectIn(context, workshop, evaluation, { ...options, signal, tellsOfLocals: true });
  return {
    ...project,
    async [Symbol.asyncDispose]() {
      await project.told;
      await workshop.close();
      if (options.store !== undefined) return;
      if (sizeBytes !== undefined) await keepStoreToSize(context, store, sizeBytes);
      await store.close();
    },
  };
}

/**
 * How a workshop is set up for a config: by that, the person's own files, the environment and the command line. Plain data.
 * @throws UserError `CONFIG_INVALID`, `KEY_INVALID`, `EXECUTOR_INVALID`
 */
export function workshopSettings(
  { env }: Pick<Context, 'env'>,
  { flake }: Pick<Evaluation, 'flake'>,
  settings: Settings = {},
): Omit<OpenWorkshopOptions, 'store'> {
  const { jobs, offline = false, caches = [], usesCaches = true } = settings;
  return {
    ...(jobs !== undefined && { jobs }),
    ...compileCacheSize(env),
    ...(!offline && usesCaches && { caches: cacheSettings(flake, caches, env) }),
    ...executorOf({ env }, { flake }, settings),
  };
}

export interface ProjectInOptions extends ProjectOptions {
  /** Ends the build. */
  readonly signal: AbortSignal;
  /** Say which local sources it is made from. */
  readonly tellsOfLocals: boolean;
}

/** A build of what was evaluated, in a workshop that somebody else closes. */
export function projectIn(
  context: Context,
  workshop: Workshop,
  evaluation: Evaluation,
  options: ProjectInOptions,
): Project {
  const { settings, emit = () => undefined, signal, tellsOfLocals } = options;
  const { store } = workshop;
  const build = new Build(workshop, {
    signal,
    steps: evaluation.steps,
    placeOf: evaluation.placeOf,
    sandbox: evaluation.sandbox,
    sources: {
      mirrors: evaluation.flake.mirrors,
      lock: async () =>
        (await import('../../engine/lock/index.ts')).readLock(lockPathOf(evaluation.configPath)),
      offline: settings?.offline ?? false,
    },
    emit,
  });
  const told = tellsOfLocals ? tellOfLocals(context, { store, evaluation, options }) : Promise.resolve();
  // Whoever waits for it hears what went wrong.
  told.catch(() => undefined);
  return {
    store,
    evaluation,
    build,
    told,
    find: (target) => wantedOutput(evaluation, target),
    commandBehind: (target) => commandOf(evaluation, target),
  };
}
