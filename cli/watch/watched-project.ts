// A project that stays open while its sources change: one store, one workshop for as long as what the config says of caches and
// workers is the same, an evaluation for each look, a build for each round. Knows nothing of when to look or to build.

import { openWorkshop, type Changes, type Emit, type Evaluation, type Workshop } from '../../engine/index.ts';
import { placesOf, type Changed, type Look, type Places } from '../../engine/watch/index.ts';
import { isErrno, UserError, type ErrorCode } from '../../store/base/errors.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import {
  configOf,
  evaluateConfig,
  projectIn,
  workshopSettings,
  type Project,
  type Settings,
} from '../project/project.ts';
import { wantedOutput, type FoundOutput } from '../project/named-outputs.ts';
import { asPersonsError } from '../reports/persons-error.ts';

/** What one look found to be wanted. */
export interface Wanted {
  readonly evaluation: Evaluation;
  readonly outputs: readonly FoundOutput[];
}

/** What a change of the sources, or more room, may mend. */
const mendable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONFIG_IMPURE',
  'CONFIG_INVALID',
  'CONFIG_MISSING',
  'DERIVATION_INVALID',
  'DISK_FULL',
  'GRAPH_CYCLE',
  'LOCK_INVALID',
  'LOCK_MISSING_PIN',
  'OUTPUT_INVALID',
  'PATH_INVALID',
  'SOURCE_MISSING',
  'SOURCE_UNREADABLE',
  'TARGET_UNKNOWN',
]);

/** Mistakes on the command line, as long as nothing was found that it could have meant. */
const mistyped: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['CONFIG_MISSING', 'TARGET_UNKNOWN']);

export interface WatchedProjectOptions {
  readonly targets: readonly string[];
  readonly settings: Settings;
  /** What of it is wanted. @throws UserError `TARGET_UNKNOWN` */
  readonly outputsOf: (project: Pick<Project, 'find' | 'evaluation'>) => readonly FoundOutput[];
  /** Told of what is wrong with the sources; undefined when nothing is wrong any more. */
  readonly onProblem: (problem: UserError | undefined) => void;
}

export class WatchedProject {
  readonly store: Store;
  readonly #context: Context;
  readonly #options: WatchedProjectOptions;
  readonly #configPath: string;
  /** By how they are set up, the one in use last. */
  readonly #workshops = new Map<string, Workshop>();
  #problem: UserError | undefined;
  #hasToldOfLocals = false;
  /** The last that came to something. */
  #last: Evaluation | undefined;

  private constructor(context: Context, store: Store, options: WatchedProjectOptions) {
    this.#context = context;
    this.store = store;
    this.#options = options;
    this.#configPath = configOf(context);
  }

  /** @throws UserError for whatever is wrong with the store, or when there is no config. */
  static async open(context: Context, options: WatchedProjectOptions): Promise<WatchedProject> {
    configOf(context);
    return new WatchedProject(context, await openStore(context.shared.store), options);
  }

  /** @throws UserError for what no change of the sources could mend. */
  async look(changed: Changed, isBusy: boolean): Promise<Look<Wanted>> {
    const seen: { files: string[]; folders: Places['folders'][number][] } = { files: [], folders: [] };
    const observer = {
      onFile: (path: string) => void seen.files.push(path),
      onFolder: (folder: Places['folders'][number]) => void seen.folders.push(folder),
    };
    const { targets } = this.#options;
    try {
      const [store, configPath] = [this.store, this.#configPath];
      const changes = this.#changes(changed);
      const evaluation = await evaluateConfig(this.#context, {
        ...{ store, configPath, targets, observer, isBusy },
        ...(changes !== undefined && { changes }),
      });
      const find = (target: string): FoundOutput => wantedOutput(evaluation, target);
      const outputs = this.#options.outputsOf({ evaluation, find });
      this.#tell(undefined);
      this.#last = evaluation;
      const key = [evaluation.sandbox, ...outputs.map(({ id, output }) => `${id} ${output}`)].join('\n');
      return { places: placesOf(evaluation), found: { key, value: { evaluation, outputs } } };
    } catch (error) {
      this.#tell(this.#asProblem(error));
      return { places: seen, found: undefined };
    }
  }

  /**
   * What was found, to be built under a signal of its own. The first time it says of which local sources that is.
   * @throws UserError for settings of caches or workers that are none
   */
  project({ evaluation }: Wanted, how: { readonly emit: Emit; readonly signal: AbortSignal }): Project {
    const { settings, targets } = this.#options;
    const tellsOfLocals = !this.#hasToldOfLocals;
    this.#hasToldOfLocals = true;
    const options = { ...how, settings, targets, tellsOfLocals };
    return projectIn(this.#context, this.#workshopFor(evaluation), evaluation, options);
  }

  /** Garbage collection may have whatever is no part of these. Nothing may be under way. */
  keepOnly(wanted: readonly Wanted[]): void {
    const ids = wanted.flatMap(({ evaluation: { sandbox }, outputs }) => [
      ...(sandbox === undefined ? [] : [sandbox]),
      ...outputs.map(({ id }) => id),
    ]);
    this.store.useOnly(ids);
  }

  async close(): Promise<void> {
    for (const workshop of this.#workshops.values()) await workshop.close();
    await this.store.close();
  }

  // One that was in use before stays open: what was started in it may not have ended. A config says something else of caches and
  // workers once in a blue moon.
  #workshopFor(evaluation: Evaluation): Workshop {
    const settings = workshopSettings(this.#context, evaluation, this.#options.settings);
    // The environment is the same all the time.
    const key = JSON.stringify(settings, (name, value: unknown) => (name === 'env' ? undefined : value));
    const workshop = this.#workshops.get(key) ?? openWorkshop({ store: this.store, ...settings });
    this.#workshops.set(key, workshop);
    return workshop;
  }

  #changes(changed: Changed): Changes | undefined {
    if (changed === 'anything' || this.#last === undefined) return undefined;
    // Not all of it: an evaluation keeps what it was asked with, and would keep all those before it.
    const { seen } = this.#last;
    return { since: { seen }, paths: [...changed] };
  }

  #asProblem(error: unknown): UserError {
    const known = asPersonsError(error);
    if (this.#context.signal.aborted || !(known instanceof UserError)) throw error;
    if (!mendable.has(known.code) || (this.#last === undefined && mistyped.has(known.code))) throw error;
    return known;
  }

  // Once, however often it is looked at.
  #tell(problem: UserError | undefined): void {
    const isTold = problem?.message === this.#problem?.message && problem?.where === this.#problem?.where;
    this.#problem = problem;
    if (!isTold) this.#options.onProblem(problem);
  }
}

/** True for what a build throws when its signal was aborted. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || isErrno(error, 'ABORT_ERR'));
}
