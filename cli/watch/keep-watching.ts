// A watch as a whole: what a look, a build and what follows it are, put together for the engine to do when it is time.

import type { Event } from '../../engine/index.ts';
import { watch, type Round } from '../../engine/watch/index.ts';
import { UserError, type ErrorCode } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import { freePort } from '../images/free-port.ts';
import { outputsToRun, type RunWish } from '../images/ready-machine.ts';
import { recordBuilds } from '../project/roots.ts';
import { configuredSize, keepStoreToSize } from '../project/store-size.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { showResults } from '../reports/build-report.ts';
import { asPersonsError } from '../reports/persons-error.ts';
import { Teller } from './tell.ts';
import { ThenCommand } from './then-command.ts';
import type { WatchFlags } from './watch-flags.ts';
import { WatchedMachine } from './watched-machine.ts';
import { WatchedProof } from './watched-proof.ts';
import { WatchedProject, isAbort, type Wanted } from './watched-project.ts';
import { WatchedPush } from './watched-push.ts';

/** What the command line, the environment or the person's files have to say otherwise: no change of the sources mends it. */
const misconfigured: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CACHE_INVALID',
  'EXECUTOR_INVALID',
  'KEY_INVALID',
]);

/** Builds and waits until it is interrupted. @throws UserError for what no change of the sources could mend. */
export async function keepWatching(
  context: Context,
  flags: WatchFlags,
  targets: readonly string[],
): Promise<void> {
  const teller = new Teller(context);
  const { jobs, offline, executor, cache: caches = [] } = flags;
  const settings = {
    caches,
    ...(jobs !== undefined && { jobs }),
    ...(offline !== undefined && { offline }),
    ...(executor !== undefined && { executor }),
  };
  const onProblem = (problem: UserError | undefined): void => teller.problem(problem);
  const [first = ''] = targets;
  const wish = flags.run === true ? await runWish(first, flags) : undefined;
  const project = await WatchedProject.open(context, {
    ...{ targets, settings, onProblem },
    outputsOf: (found) =>
      wish === undefined ? targets.map((target) => found.find(target)) : outputsToRun(found, wish),
  });
  if (flags.sshPort === 0) teller.port(wish?.sshPort);
  const rounds = new Rounds(context, { flags, project, teller, wish });
  try {
    await watch<Wanted>({
      signal: context.signal,
      store: project.store.path,
      rulesOf: ({ path, exclude }) => project.store.importRules(path, { exclude }),
      look: (changed) => project.look(changed, rounds.isBusy),
      build: (wanted, round) => rounds.build(wanted, round),
      follow: () => rounds.follow(),
      onRest: ({ folders }) => {
        rounds.letGo();
        teller.waits(folders);
      },
    });
  } finally {
    await rounds.end();
    await project.close();
  }
}

interface RoundsOptions {
  readonly flags: WatchFlags;
  readonly project: WatchedProject;
  readonly teller: Teller;
  /** What is to be started with each result. */
  readonly wish: RunWish | undefined;
}

async function runWish(target: string, flags: WatchFlags): Promise<RunWish> {
  const { direct, append = [], memory, processors, kvm = false } = flags;
  // The same for all results: whoever is logged in comes back to it.
  const sshPort = flags.sshPort === undefined ? undefined : await freePort(flags.sshPort);
  const machine = { memoryMb: memory, processors, kvm, sshPort };
  return {
    target,
    way: direct === true ? 'direct' : 'disk',
    appended: append,
    ...machine,
    seeds: undefined,
    debug: undefined,
  };
}

class Rounds {
  readonly #context: Context;
  readonly #options: RoundsOptions;
  readonly #sizeBytes: number | undefined;
  readonly #then: ThenCommand | undefined;
  readonly #machine: WatchedMachine | undefined;
  readonly #proof: WatchedProof | undefined;
  readonly #push: WatchedPush;
  #isBuilding = false;
  /** Of the last round, and of the last that succeeded, which may be in use. */
  #last: Wanted | undefined;
  #good: Wanted | undefined;

  constructor(context: Context, options: RoundsOptions) {
    const { flags, teller, project, wish } = options;
    // A console and a live view cannot share a terminal.
    this.#context = wish === undefined ? context : { ...context, err: { ...context.err, isTerminal: false } };
    this.#options = options;
    this.#push = new WatchedPush(this.#context, flags);
    this.#sizeBytes = configuredSize(context.env);
    if (wish !== undefined) this.#machine = new WatchedMachine(this.#context, { project, teller, wish });
    const rebuild = async (wanted: Wanted, signal: AbortSignal): Promise<boolean> =>
      (await this.#build(wanted, signal, performance.now())) === 'built';
    if (flags.promote === true) this.#proof = new WatchedProof(this.#context, { project, teller, rebuild });
    if (flags.then !== undefined)
      this.#then = new ThenCommand(flags.then, {
        env: context.env,
        // Standard output is for records.
        output: context.shared.json === true ? 2 : 1,
        onEnd: (end) => teller.commandEnds(end),
      });
  }

  /** True while something runs that would have to be put in order. */
  get isBusy(): boolean {
    const others = [this.#then, this.#machine, this.#proof, this.#push];
    return this.#isBuilding || others.some((other) => other?.isRunning === true);
  }

  async build(wanted: Wanted, round: Round): Promise<'ok' | 'failed' | 'cancelled'> {
    await this.#proof?.end();
    await this.#push.end();
    const startedMs = performance.now();
    this.#options.teller.roundBegins(round);
    this.#isBuilding = true;
    try {
      const result = await this.#build(wanted, round.signal, startedMs);
      this.#options.teller.roundEnds(round, result, performance.now() - startedMs);
      return result === 'built' ? 'ok' : result;
    } finally {
      this.#isBuilding = false;
    }
  }

  async follow(): Promise<void> {
    const wanted = this.#good!;
    await this.#start(wanted);
    await this.#push.finish();
    if ((await this.#proof?.of(wanted)) !== 'replaced') return;
    await this.#start(wanted);
    await this.#push.finish();
  }

  async #start(wanted: Wanted): Promise<void> {
    await this.#then?.start();
    await this.#machine?.start(wanted);
  }

  /** What was built before is no longer kept by this process. */
  letGo(): void {
    this.#options.project.keepOnly([this.#last, this.#good].filter((wanted) => wanted !== undefined));
  }

  async end(): Promise<void> {
    await this.#proof?.end();
    await this.#push.end();
    await this.#then?.end();
    await this.#machine?.end();
  }

  async #build(
    wanted: Wanted,
    signal: AbortSignal,
    startedMs: number,
  ): Promise<'built' | 'failed' | 'cancelled'> {
    const { flags, teller } = this.#options;
    const renderer = openRenderer(this.#context);
    this.#last = wanted;
    try {
      const emit = (event: Event): void => {
        renderer.emit(event);
        this.#push.hear(event);
      };
      const project = this.#options.project.project(wanted, { emit, signal });
      await this.#push.begin(project, { emit: renderer.emit, signal });
      const report = await project.build.realise(
        wanted.outputs.map(({ id }) => id),
        flags,
      );
      await project.told;
      const view = await renderer.close();
      if (report.cancelled) return 'cancelled';
      const made = wanted.outputs.filter(({ id }) => report.outputs.has(id));
      await recordBuilds(project, made);
      if (flags.outLink !== undefined) {
        const { writeOutLinks } = await import('../project/out-link.ts');
        await writeOutLinks(project, made, flags.outLink);
      }
      const elapsedMs = performance.now() - startedMs;
      showResults(this.#context, { project, wanted: wanted.outputs, report, view, elapsedMs });
      if (this.#sizeBytes !== undefined) await keepStoreToSize(this.#context, project.store, this.#sizeBytes);
      if (report.ok) this.#good = wanted;
      // Of a success, what follows comes first.
      this.#push.made(report);
      if (!report.ok) await this.#push.finish();
      return report.ok ? 'built' : 'failed';
    } catch (error) {
      await renderer.close();
      if (signal.aborted && isAbort(error)) return 'cancelled';
      const known = asPersonsError(error);
      // What is wrong with this build may be right with the next.
      if (!(known instanceof UserError)) throw error;
      if (this.#good === undefined && misconfigured.has(known.code)) throw error;
      teller.problem(known);
      return 'failed';
    }
  }
}
