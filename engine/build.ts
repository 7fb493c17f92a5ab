// One wish: plans, schedules and performs what is wanted of some steps, in a workshop. Knows their events and the signal that
// ends it, and nothing of how long the process goes on.

import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import { bug, UserError } from '../store/base/errors.ts';
import type { Digest } from '../store/base/digest.ts';
import { MissingBlob, isProven, sameOutputs, type Memo, type Node } from '../store/index.ts';
import type { Conflict } from './caches/conflicts.ts';
import type { CheckResult } from './check.ts';
import { totalSize } from './content-below.ts';
import { ContentElsewhere } from './content-elsewhere.ts';
import type { FoundMemo } from './content-source.ts';
import { outputsOfOutcome, type Emit, type Event, type Outcome, type Outputs } from './events.ts';
import type { Expectations } from './expected-takes.ts';
import type { PlaceOf } from './evaluate/places-record.ts';
import type { BuildRequest, Executor, OfferedTool } from './execute/executor.ts';
import type { TurnedAway } from './execute/turned-away.ts';
import {
  absentIn,
  goneForGood,
  leftIn,
  lostForGood,
  producersOf,
  Rebuilds,
  type LostContentContext,
} from './lost-content.ts';
import type { DerivationId } from './model/encode.ts';
import type { PerformContext } from './perform/perform.ts';
import type { PlanFacts } from './plan/facts.ts';
import { makePlan, plannedSteps, type Plan, type UpToDate } from './plan/planner.ts';
import type { ResolvedStep } from './plan/resolve.ts';
import { storeFacts, type KnownElsewhere } from './plan/store-facts.ts';
import type { PoolName } from './schedule/slots.ts';
import type { Busy } from './schedule/step-work.ts';
import type { FetchPlaces } from './sources/places.ts';
import { stepRef, type Step, type StepSource } from './step.ts';
import { Substitution } from './substitution.ts';
import type { Workshop } from './workshop.ts';

/** What is to be built from, and who hears of it. */
export interface Wish {
  readonly steps: StepSource;
  /** Where a step was made, for events about it; nobody knows when not given. */
  readonly placeOf?: PlaceOf | undefined;
  /** The step that gives the sandbox's own program; undefined to use an installed one. */
  readonly sandbox: DerivationId | undefined;
  readonly sources: FetchPlaces;
  readonly emit: Emit;
  /** Aborted: the build is cancelled. */
  readonly signal: AbortSignal;
}

export interface BuildOptions {
  /** Build the wanted steps even if they are up to date. */
  readonly rebuild?: boolean;
  readonly keepGoing?: boolean;
  readonly incremental?: IncrementalUse;
  /** False: without compile caches, also for steps that ask for one. */
  readonly compileCache?: boolean;
}

/**
 * Which steps are done in the folders that were kept for their lineages, if they have some: those that are made from a folder
 * of this machine (when not given), all, or none. With none, compile caches are not used either, and what was made with any of
 * them before and never proven is built again. What is rebuilt is always built cleanly.
 */
export type IncrementalUse = 'local' | 'all' | 'none';

export interface BuildReport {
  /** Of every step that was looked at and was not up to date already. */
  readonly outcomes: ReadonlyMap<DerivationId, Outcome>;
  /** Outputs of each wanted step that has them. */
  readonly outputs: ReadonlyMap<DerivationId, Outputs>;
  readonly ok: boolean;
  readonly cancelled: boolean;
  /** What trusted others were heard to say otherwise, of these steps and what they need. What is here counts. */
  readonly conflicts: readonly Conflict[];
  /** Processor time that the build's commands used, in milliseconds. */
  readonly buildersCpuMs: number;
}

interface Reused {
  readonly step: Step;
  readonly action: Digest;
  readonly outputs: Outputs;
  /** Whose word it is that the step comes to this action, as they signed it; found out here, when not given. */
  readonly signed?: readonly Uint8Array[];
}

/** In one workshop any number of builds may happen, one after the other or at once. Aborting its signal ends one. */
export class Build {
  readonly #workshop: Workshop;
  readonly #wish: Wish;
  readonly #facts: PlanFacts;
  /** The same, whether or not anybody has what was left elsewhere: whoever reads that finds out. */
  readonly #factsOfNodes: PlanFacts;
  readonly #elsewhere: ContentElsewhere;
  readonly #substitution: Substitution;
  /** Steps that are to be done whatever the records say. */
  readonly #forced = new Set<DerivationId>();
  /** Executors that could not be reached, and of which that was said. */
  readonly #toldDown = new Set<PoolName>();
  /** True: a result that no clean build has given is as good as none. */
  #wantsProven = false;
  #tool: Promise<OfferedTool | undefined> | undefined;

  constructor(workshop: Workshop, wish: Wish) {
    this.#workshop = workshop;
    this.#wish = wish;
    const { store, elsewhere: source } = workshop;
    const onNotice = (message: string): void => this.#emit({ type: 'notice', step: undefined, message });
    this.#elsewhere = new ContentElsewhere({ store, source, signal: wish.signal, onNotice });
    const known: KnownElsewhere = {
      memo: (id) => this.#ownOf(this.#elsewhere.memo(id)),
      claim: (action) => this.#elsewhere.claim(action),
      mayBeHad: (digest) => this.#elsewhere.mayBeHad(digest),
      isGone: (digest) => this.#elsewhere.isGone(digest),
      lookIn: (outputs) => this.#elsewhere.lookIn(outputs),
    };
    this.#facts = this.#provenFacts(storeFacts(store, known));
    this.#factsOfNodes = this.#provenFacts(
      storeFacts(store, { ...known, isGone: () => false, lookIn: () => undefined }),
    );
    const emit: Emit = (event) => this.#emit(event);
    this.#substitution = new Substitution({ store, elsewhere: this.#elsewhere, facts: this.#facts, emit });
    setMaxListeners(0, wish.signal); // every step under way listens: many are no leak
  }

  /** What would be done, and why. Changes nothing. */
  async plan(wanted: readonly DerivationId[], options: BuildOptions = {}): Promise<Plan> {
    const requested = options.rebuild === true ? wanted : this.#forced;
    const unproven = options.incremental === 'none' ? await this.#unproven(wanted) : [];
    const again = [...requested, ...unproven.map(({ id }) => id)];
    const all = [...wanted, ...unproven.map(({ id }) => id)];
    return this.#planKnowing(all, new Set([...again, ...(await this.#producersOfLost(wanted))]));
  }

  /** What a step gave, when it is up to date. Whether all of it is still there is for `whole` to find out. */
  outputsOf(id: DerivationId): Outputs | undefined {
    return this.#plan([id], this.#forced, this.#factsOfNodes).upToDate.get(id)?.outputs;
  }

  /** Does what is wanted and not up to date. Failed steps are outcomes in the report. */
  async realise(wanted: readonly DerivationId[], options: BuildOptions = {}): Promise<BuildReport> {
    const made = await this.#realise(wanted, options);
    return { ...made, conflicts: await this.#conflicts(wanted) };
  }

  async #realise(wanted: readonly DerivationId[], options: BuildOptions): Promise<BuildReport> {
    this.#wantsProven = options.incremental === 'none';
    if (this.#wantsProven) await this.promote(wanted);
    if (options.rebuild === true) for (const id of wanted) this.#forced.add(id);
    const lost = await this.#producersOfLost(wanted);
    if (lost.size > 0) this.#forget(lost);
    await this.#use(wanted);
    const { plan, substituted } = await this.#substitutePlanned(wanted);
    await this.#recordFound(plan);
    if (plan.toBuild.size === 0) return this.#broughtHere(report(wanted, plan, substituted, 0));
    const before = await this.#workshop.buildersCpuMs();
    const outcomes = new Map([...substituted, ...(await this.#run(plan, options))]);
    const cpuMs = (await this.#workshop.buildersCpuMs()) - before;
    return this.#broughtHere(report(wanted, plan, outcomes, cpuMs));
  }

  /** Content that building these would bring from elsewhere, in bytes; undefined where that cannot be told beforehand. */
  async bytesToBring(plan: Plan): Promise<number | undefined> {
    const wanted = plan.wanted.flatMap((id) => Object.values(plan.upToDate.get(id)?.outputs ?? {}));
    const leftBytes = totalSize(leftIn(wanted, this.#workshop.store));
    const outputs = neededElsewhere(plan, this.#wish.sandbox).map(({ outputs }) => outputs);
    const missingBytes = outputs.length === 0 ? 0 : await this.#elsewhere.missingBytes(outputs);
    return missingBytes === undefined ? undefined : missingBytes + leftBytes;
  }

  /**
   * Runs `use`, which reads content of these steps' outputs; what of it turns out to be lost is built again first.
   * @param nodes what of the outputs is read, where that is not all
   * @throws UserError `STORE_MISSING_BLOB` when even that does not bring it back; MissingBlob for content of something
   * else; the signal's reason.
   */
  async whole<T>(
    ids: readonly DerivationId[],
    use: () => T | Promise<T>,
    nodes?: readonly Node[],
  ): Promise<T> {
    const rebuilds = new Rebuilds();
    for (;;) {
      try {
        return await use();
      } catch (error) {
        if (!(error instanceof MissingBlob)) throw error;
        if (await this.#bring(ids, { nodes })) continue;
        const producers = this.#producersOf(ids, error);
        // Not of these: whoever reads other outputs along with them knows what made it.
        if (producers.size === 0) throw error;
        await this.#rebuildLost(rebuilds.take(producers), error);
      }
    }
  }

  /** Brings what of these steps' outputs was left elsewhere, as far as it is to be had. */
  async bringLeft(ids: readonly DerivationId[]): Promise<void> {
    const outputs = this.#knownOutputs(ids);
    const left = leftIn(
      outputs.flatMap((named) => Object.values(named)),
      this.#workshop.store,
    );
    if (left.size > 0) await this.#elsewhere.bring({ outputs, only: left });
  }

  /** A folder with the content of an output, for steps or for this process to read. Errors are those of `whole`. */
  materialise(id: DerivationId, output = 'out'): Promise<string> {
    const { store } = this.#workshop;
    return this.whole([id], () => {
      const node = this.#outputNode(id, output);
      return node.kind === 'tree'
        ? store.materialise(node.digest)
        : store.materialiseBlob(node.digest, node.executable);
    });
  }

  /** The same for people: content that no step is run on. */
  handOut(id: DerivationId, output = 'out'): Promise<string> {
    return this.whole([id], () => this.#workshop.store.handOut(this.#outputNode(id, output)));
  }

  /** Does commands that are up to date a second time under other conditions, and compares. */
  async check(steps: readonly Step[]): Promise<CheckResult[]> {
    const { store } = this.#workshop;
    const { signal, placeOf } = this.#wish;
    const [{ checkStep }, slots] = await Promise.all([import('./check.ts'), this.#workshop.slots()]);
    await this.bringLeft(steps.map(({ id }) => id));
    const emit = (event: Event): void => this.#emit(event);
    const checkOnce = (step: Step): Promise<CheckResult> => {
      const pools = this.#workshop.poolsFor(step.derivation);
      const priority = this.#facts.duration(step.lineage) ?? 0;
      return slots.use({ pools, priority }, signal, async ({ pool }) =>
        checkStep(step, { store, signal, executor: await this.#executor(pool), emit, placeOf }),
      );
    };
    return Promise.all(steps.map((step) => this.whole([step.id, ...step.inputIds], () => checkOnce(step))));
  }

  /**
   * Builds cleanly what was made incrementally, of these and all that they need, and compares. What comes out the same counts
   * as proven from then on; what does not is forgotten with all that was made of it, and its kept folder is thrown away.
   * Empty when all is proven already.
   */
  async promote(wanted: readonly DerivationId[]): Promise<CheckResult[]> {
    const { store } = this.#workshop;
    const { signal, placeOf } = this.#wish;
    const unproven = await this.#unproven(wanted);
    if (unproven.length === 0) return [];
    const [{ promoteStep }, slots] = await Promise.all([import('./promote.ts'), this.#workshop.slots()]);
    const emit = (event: Event): void => this.#emit(event);
    const promoteOnce = async (step: Step): Promise<CheckResult | undefined> => {
      const pools = this.#workshop.poolsFor(step.derivation);
      const priority = this.#facts.duration(step.lineage) ?? 0;
      const action = this.#facts.memo(step.id)?.action;
      if (action === undefined) return undefined;
      const lock = await store.locks.acquire(`build:${action}`, { signal });
      try {
        return await slots.use({ pools, priority }, signal, async ({ pool }) =>
          promoteStep(step, { store, signal, executor: await this.#executor(pool), emit, placeOf }),
        );
      } finally {
        await lock.release();
      }
    };
    const results: CheckResult[] = [];
    // One after the other: what one turns out to be decides what the next is made from.
    for (const step of unproven) {
      const result = await this.whole([step.id, ...step.inputIds], () => promoteOnce(step));
      if (result !== undefined) results.push(result);
    }
    return results;
  }

  async #unproven(wanted: readonly DerivationId[]): Promise<readonly Step[]> {
    const { unprovenSteps } = await import('./unproven.ts');
    return unprovenSteps(wanted, this.#wish.steps, this.#workshop.store);
  }

  /** What a command's sandbox is made of. Everything it needs must be up to date. */
  async requestOf(step: Step): Promise<BuildRequest> {
    const { upToDate } = this.#plan(step.inputIds, this.#forced, this.#factsOfNodes);
    const { requestOf } = await import('./perform/perform.ts');
    return requestOf(
      step,
      (id) => upToDate.get(id)?.outputs ?? bug(`${id} is not built`),
      this.#facts.lookup,
    );
  }

  // A derivation that was never seen before may come to an action that was, and was never proven.
  #isTaken(action: Digest): boolean {
    const found = this.#workshop.store.records.realisation(action);
    return found === undefined || !this.#wantsProven || isProven(found);
  }

  // Others may know an action by a derivation that is new here; what it gave here counts.
  #ownOf(found: FoundMemo | undefined): { readonly memo: Memo } | undefined {
    const made = found && this.#workshop.store.records.realisation(found.memo.action)?.claim.outputs;
    if (made === undefined || !this.#isTaken(found!.memo.action)) return found;
    const isSame = sameOutputs(made, found!.memo.outputs);
    return isSame ? found : { memo: { ...found!.memo, outputs: made } };
  }

  // Compared is what was heard in passing, once all that is built here is known.
  async #conflicts(wanted: readonly DerivationId[]): Promise<readonly Conflict[]> {
    const { store, elsewhere: source } = this.#workshop;
    const { steps, signal } = this.#wish;
    const said = this.#elsewhere.contradictions((action) => {
      const made = store.records.realisation(action);
      return made !== undefined && isProven(made) ? made.claim.outputs : undefined;
    });
    if (said.length === 0 || source === undefined || signal.aborted) return [];
    const { conflictsWith, ownClaimsOf } = await import('./caches/conflicts.ts');
    const own = ownClaimsOf(wanted, {
      steps,
      store,
      actions: new Set(said.map(({ claim }) => claim.action)),
    });
    return conflictsWith(own, said, { cache: source, store, signal });
  }

  #provenFacts(facts: PlanFacts): PlanFacts {
    return {
      ...facts,
      claim: (action) => (this.#isTaken(action) ? facts.claim(action) : undefined),
    };
  }

  // Where there is something to do, all that is found to be there must stay until it is done.
  async #use(wanted: readonly DerivationId[]): Promise<void> {
    const { sandbox } = this.#wish;
    const isThere = (id: DerivationId): boolean => {
      const memo = this.#forced.has(id) ? undefined : this.#facts.memo(id);
      return memo !== undefined && this.#facts.presence(memo.outputs) === 'here';
    };
    if (!wanted.every(isThere))
      await this.#workshop.store.use(sandbox === undefined ? wanted : [...wanted, sandbox]);
  }

  #plan(
    wanted: readonly DerivationId[],
    rebuild: ReadonlySet<DerivationId>,
    facts: PlanFacts = this.#facts,
  ): Plan {
    const { steps, sandbox } = this.#wish;
    return makePlan(wanted, { steps, sandbox, rebuild, facts });
  }

  // The planner asks nobody: what it wondered about is asked for all at once, and then planned again. What is wanted comes
  // first: who knows that needs to know nothing of what lies below.
  async #planKnowing(wanted: readonly DerivationId[], rebuild: ReadonlySet<DerivationId>): Promise<Plan> {
    do {
      for (const id of wanted) {
        const memo = rebuild.has(id) ? undefined : this.#facts.memo(id);
        if (memo !== undefined) this.#facts.presence(memo.outputs);
      }
    } while (await this.#elsewhere.learn());
    for (;;) {
      const plan = this.#plan(wanted, rebuild);
      if (!(await this.#elsewhere.learn())) return plan;
    }
  }

  // Brings what is wanted, and what steps that are to be done need, from elsewhere. What does not come after all is built.
  async #substitutePlanned(
    wanted: readonly DerivationId[],
  ): Promise<{ plan: Plan; substituted: Map<DerivationId, Outcome> }> {
    const substituted = new Map<DerivationId, Outcome>();
    for (;;) {
      const plan = await this.#planKnowing(wanted, this.#forced);
      this.#emit({ type: 'planned', steps: plannedSteps(plan) });
      const needed = neededElsewhere(plan, this.#wish.sandbox).filter(
        ({ step }) => !substituted.has(step.id),
      );
      const outcomes = await this.#substitution.take(needed);
      this.#wish.signal.throwIfAborted();
      for (const { step } of needed) {
        const outcome = outcomes.get(step.id);
        if (outcome === undefined) this.#forced.add(step.id);
        else substituted.set(step.id, outcome);
      }
      if (needed.every(({ step }) => outcomes.has(step.id))) return { plan, substituted };
    }
  }

  async #run(
    plan: Plan,
    { keepGoing = false, incremental = 'local', compileCache = true }: BuildOptions,
  ): Promise<Map<DerivationId, Outcome>> {
    const { signal, sandbox } = this.#wish;
    // Loaded with the first plan that has something to do: most find everything up to date.
    const [{ runPlan }, { performStep }, slots] = await Promise.all([
      import('./schedule/scheduler.ts'),
      import('./perform/perform.ts'),
      this.#workshop.slots(),
    ]);
    const reused: Reused[] = [];
    const wanted = new Set(plan.wanted);
    const expectations = this.#workshop.hasChoice ? await this.#expectations(wanted) : undefined;
    const outcomes = await runPlan(plan, {
      slots,
      poolsFor: (step) => this.#workshop.poolsFor(step.derivation, this.#isIncremental(step, incremental)),
      takesMs: (resolved) =>
        resolved.step.derivation.kind === 'run' ? expectations?.takesMs(resolved) : undefined,
      keepGoing,
      signal,
      sandbox,
      lookup: this.#facts.lookup,
      realised: (resolved) => this.#realised(resolved),
      perform: async (resolved, slot) =>
        (await this.#takeAction(resolved)) ??
        this.#bringing(resolved, slot.pool, () =>
          performStep(resolved, slot, this.#performContext({ incremental, compileCache, wanted })),
        ),
      onTurnedAway: (step, pool, why) => this.#noticeTurnedAway(step, pool, why),
      producers: (ids, missing) => this.#producersOf(ids, missing),
      replan: (lost) => this.#replan(lost),
      onFinish: (step, outcome, resolved) => {
        this.#forced.delete(step.id);
        if (outcome.kind === 'reused' && resolved !== undefined)
          reused.push({ step, action: resolved.action, outputs: outcome.outputs });
        const place = outcome.kind === 'failed' ? this.#wish.placeOf?.(step.id) : undefined;
        this.#emit({ type: 'step-finished', step: stepRef(step), outcome, place });
      },
    });
    await this.#recordReused(reused);
    return outcomes;
  }

  // That a server is down is said once, however many steps it was given, and would have been.
  #noticeTurnedAway(step: Step, pool: PoolName, why: TurnedAway): void {
    const { message, isDown } = why;
    if (!isDown)
      this.#emit({ type: 'notice', step: stepRef(step), message: `${message}; it is done elsewhere` });
    else if (this.#workshop.closePool(pool, why) && !this.#toldDown.has(pool)) {
      this.#toldDown.add(pool);
      const consequence = 'it is given nothing for a minute, and its steps are done elsewhere';
      this.#emit({ type: 'notice', step: undefined, message: `${message}; ${consequence}` });
    }
  }

  // Of no use where there is one executor only, and not loaded then.
  async #expectations(wanted: ReadonlySet<DerivationId>): Promise<Expectations> {
    const { Expectations } = await import('./expected-takes.ts');
    return new Expectations({
      store: this.#workshop.store,
      offerOf: (pool) => this.#workshop.offerOf(pool),
      bringsFiles: (step) => this.#bringsFiles(step, wanted),
    });
  }

  // What had to be made again comes along, so that nobody can lose it a second time.
  #bringsFiles({ id }: Step, wanted: ReadonlySet<DerivationId>): boolean {
    return wanted.has(id) || this.#forced.has(id);
  }

  #realised({ step, action }: ResolvedStep): Outputs | undefined {
    if (this.#forced.has(step.id)) return undefined;
    if (!this.#isTaken(action)) return undefined;
    const outputs = this.#workshop.store.records.realisation(action)?.claim.outputs;
    return outputs !== undefined && this.#facts.presence(outputs) !== 'lost' ? outputs : undefined;
  }

  // Only commands are worth the question whether somebody else has done the very same.
  async #takeAction(resolved: ResolvedStep): Promise<Outcome | undefined> {
    const { step } = resolved;
    if (this.#forced.has(step.id) || step.derivation.kind !== 'run') return undefined;
    return this.#substitution.takeAction(resolved);
  }

  // What a step reads here comes before it begins. What it misses all the same, or a server that it is done at, is looked for
  // elsewhere before its producer is run again.
  async #bringing<T extends Outcome | Busy>(
    resolved: ResolvedStep,
    pool: PoolName,
    perform: () => Promise<T>,
  ): Promise<T> {
    const { step } = resolved;
    const isHere = step.derivation.kind !== 'run' || this.#workshop.isHere(pool);
    if (isHere && readsFiles(step)) await this.#bringAllLeft([...resolved.nodes.values()]);
    try {
      return this.#noticeLeft(await perform());
    } catch (error) {
      if (!(error instanceof MissingBlob)) throw error;
      const { sandbox } = this.#wish;
      const needs = sandbox === undefined ? step.inputIds : [...step.inputIds, sandbox];
      if (!(await this.#bring(needs, isHere ? {} : { only: error.digests }))) throw error;
      return this.#noticeLeft(await perform());
    }
  }

  // @throws MissingBlob for what nobody has any more
  async #bringAllLeft(nodes: readonly Node[]): Promise<void> {
    const { store } = this.#workshop;
    if (leftIn(nodes, store).size === 0) return;
    await this.#elsewhere.bring({ outputs: [namedNodes(nodes)] });
    const gone = leftIn(nodes, store);
    for (const digest of gone) throw new MissingBlob(digest, { others: gone });
  }

  // Its worker's server has it now, whatever was found when it was last asked.
  #noticeLeft<T extends Outcome | Busy>(end: T): T {
    if (end.kind === 'built' && end.remote !== undefined && end.remote.left.files > 0)
      this.#elsewhere.areThere(leftIn(Object.values(end.outputs), this.#workshop.store));
    return end;
  }

  async #bring(
    ids: readonly DerivationId[],
    {
      nodes,
      only,
    }: { readonly nodes?: readonly Node[] | undefined; readonly only?: ReadonlySet<Digest> } = {},
  ): Promise<boolean> {
    const isFound = (id: DerivationId): boolean => this.#substitution.foundMemo(id) !== undefined;
    const outputs =
      nodes === undefined ? this.#knownOutputs(ids.filter((id) => !isFound(id))) : [namedNodes(nodes)];
    const hasCome = await this.#elsewhere.bring({ outputs, only });
    const taken = await this.#substitution.take(
      ids.filter(isFound).map((id) => ({ step: this.#wish.steps(id) })),
    );
    return hasCome || taken.size > 0;
  }

  #replan(lost: ReadonlySet<DerivationId>): Plan {
    this.#forget(lost);
    return this.#plan([...lost], lost);
  }

  // What these gave is not to be relied on: they are done again, whatever the records say.
  #forget(lost: ReadonlySet<DerivationId>): void {
    for (const id of lost) {
      this.#forced.add(id);
      const step = stepRef(this.#wish.steps(id));
      const place = this.#placeOfLeft(id);
      const message =
        place === undefined
          ? `content of ${step.name} is missing or damaged in the store: building it again`
          : `content of ${step.name} stayed at ${place}, and is not to be had from there: building it again`;
      this.#emit({ type: 'notice', step, message });
    }
  }

  // Where all of it stayed that is not here; undefined when some of it was lost here.
  #placeOfLeft(id: DerivationId): string | undefined {
    const { store } = this.#workshop;
    const places = [...absentIn(this.#knownOutputs([id]), store)].map((digest) => store.left.placeOf(digest));
    return places.includes(undefined) ? undefined : places[0];
  }

  // What is wanted comes here, wherever it was made.
  async #broughtHere(made: BuildReport): Promise<BuildReport> {
    const { store } = this.#workshop;
    const ids = [...made.outputs.keys()];
    const now = (): Map<DerivationId, Outputs> =>
      new Map([...made.outputs].map(([id, outputs]) => [id, store.records.memo(id)?.outputs ?? outputs]));
    const left = (): Set<Digest> =>
      leftIn(
        [...now().values()].flatMap((outputs) => Object.values(outputs)),
        store,
      );
    if (this.#wish.signal.aborted || left().size === 0) return made;
    await this.whole(ids, () => {
      const missing = left();
      for (const digest of missing) throw new MissingBlob(digest, { others: missing });
    });
    return { ...made, outputs: now() };
  }

  // What is handed out must be whole: of what is wanted, every blob is looked for, not only the top.
  async #producersOfLost(wanted: readonly DerivationId[]): Promise<Set<DerivationId>> {
    const { store } = this.#workshop;
    const known = wanted.flatMap((id) => {
      const memo = store.records.memo(id);
      return memo === undefined ? [] : [memo.outputs];
    });
    const absent = absentIn(known, store);
    if (absent.size === 0) return new Set();
    this.#elsewhere.lookIn(known);
    const isLost = (digest: Digest): boolean =>
      store.left.has(digest) ? this.#elsewhere.isGone(digest) : !this.#elsewhere.mayBeHad(digest);
    for (const digest of absent) isLost(digest);
    await this.#elsewhere.learn();
    const lost = [...absent].filter(isLost);
    return lost.length === 0 ? new Set() : producersOf(wanted, new Set(lost), this.#lostContext());
  }

  #knownOutputs(ids: readonly DerivationId[]): Outputs[] {
    return ids.flatMap((id) => {
      const memo = this.#facts.memo(id);
      return memo === undefined ? [] : [memo.outputs];
    });
  }

  #producersOf(ids: Iterable<DerivationId>, missing: MissingBlob): Set<DerivationId> {
    return producersOf(ids, missing.digests, this.#lostContext());
  }

  #lostContext(): LostContentContext {
    const { store } = this.#workshop;
    return { store, steps: this.#wish.steps, outputsOf: (id) => this.#facts.memo(id)?.outputs };
  }

  async #rebuildLost(producers: ReadonlySet<DerivationId>, missing: MissingBlob): Promise<void> {
    const plan = this.#replan(producers);
    const outcomes = await this.#run(plan, {});
    this.#wish.signal.throwIfAborted();
    const failed = [...outcomes.values()].find((outcome) => outputsOfOutcome(outcome) === undefined);
    if (plan.toBuild.size > 0 && failed === undefined) return;
    const place = this.#workshop.store.left.placeOf(missing.digest);
    throw place === undefined ? lostForGood(missing) : goneForGood(missing, place, failed);
  }

  // Derivations that are new, but whose action was realised before: the next plan should not have to resolve them. What
  // was asked for and is there, because another config has built it perhaps, is from now on this lineage's last version.
  async #recordFound(plan: Plan): Promise<void> {
    const wanted = new Set(plan.wanted);
    const here = [...plan.upToDate.values()].filter(({ presence }) => presence === 'here');
    const found = here.flatMap(({ step, outputs, cutOff }): Reused[] => {
      if (cutOff !== undefined) return [{ step, outputs, action: cutOff }];
      const isKnown = !wanted.has(step.id) || this.#facts.lineage(step.lineage)?.derivation === step.id;
      return isKnown ? [] : [{ step, outputs, ...this.#heardOf(step.id) }];
    });
    await this.#recordReused(found);
  }

  // What others have said is handed on as theirs, and never signed in their place.
  #heardOf(id: DerivationId): Pick<Reused, 'action' | 'signed'> {
    const { records } = this.#workshop.store;
    const { action } = this.#facts.memo(id)!;
    if (records.memo(id) === undefined)
      return { action, signed: this.#elsewhere.memo(id)?.found.records ?? [] };
    const signed = records.signed(id);
    return signed.length === 0 ? { action } : { action, signed };
  }

  async #recordReused(reused: readonly Reused[]): Promise<void> {
    if (reused.length === 0) return;
    await this.#workshop.store.records.update((records) => {
      for (const { step, action, outputs, signed } of reused) {
        records.putMemo({ derivation: step.id, action, outputs }, signed);
        records.putLineage(step.lineage, { derivation: step.id, action });
      }
    });
  }

  #performContext({
    incremental,
    compileCache,
    wanted,
  }: Required<Pick<BuildOptions, 'incremental' | 'compileCache'>> & {
    readonly wanted: ReadonlySet<DerivationId>;
  }): PerformContext {
    const { store } = this.#workshop;
    const { signal, sources } = this.#wish;
    return {
      store,
      signal,
      fetch: (derivation, context) => this.#workshop.fetch(derivation, { ...context, ...sources }),
      unpack: (derivation, archive, context) => this.#workshop.unpack(derivation, archive, context),
      emit: (event) => this.#emit(event),
      onStart: (step) =>
        this.#emit({
          type: 'step-started',
          step: stepRef(step),
          expectedMs: this.#facts.duration(step.lineage),
          place: this.#wish.placeOf?.(step.id),
        }),
      builder: hostname(),
      realised: (resolved) => this.#realised(resolved),
      executor: (pool) => this.#executor(pool),
      bringsFiles: (step) => this.#bringsFiles(step, wanted),
      isIncremental: (step) => this.#isIncremental(step, incremental),
      compileCacheBytes: ({ id, derivation }) => {
        const hasOne = derivation.kind === 'run' && derivation.compileCache !== undefined;
        const isClean = !compileCache || incremental === 'none' || this.#forced.has(id);
        return hasOne && !isClean ? this.#workshop.compileCacheBytes : 0;
      },
    };
  }

  #isIncremental(step: Step, use: IncrementalUse): boolean {
    if (use === 'none' || this.#forced.has(step.id)) return false;
    if (step.derivation.kind !== 'run' || step.derivation.incremental === undefined) return false;
    return use === 'all' || this.#isFromHere(step);
  }

  // True when something that it is made from is a folder of this machine.
  #isFromHere({ inputIds }: Step): boolean {
    const needed = new Set(inputIds);
    // The set is walked while it grows.
    for (const id of needed) {
      const step = this.#wish.steps(id);
      if (step.derivation.kind === 'local') return true;
      for (const input of step.inputIds) needed.add(input);
    }
    return false;
  }

  // With the sandbox's own program brought up to date if need be.
  async #executor(pool: PoolName): Promise<Executor> {
    this.#tool ??= this.#bringTool();
    return this.#workshop.executor(pool, await this.#tool);
  }

  async #bringTool(): Promise<OfferedTool | undefined> {
    const { sandbox } = this.#wish;
    if (sandbox === undefined) return undefined;
    const { ok } = this.#facts.memo(sandbox) === undefined ? await this.realise([sandbox]) : { ok: true };
    if (ok) return { tree: this.#outputNode(sandbox, 'out').digest, folder: () => this.materialise(sandbox) };
    throw new UserError('SANDBOX_UNAVAILABLE', "the sandbox's own program could not be built", {
      hint: 'The failed step above says why.',
      fault: 'environment',
    });
  }

  #outputNode(id: DerivationId, output: string): Exclude<Node, { kind: 'symlink' }> {
    const node = this.#facts.memo(id)?.outputs[output];
    if (node !== undefined && node.kind !== 'symlink') return node;
    const { name } = this.#wish.steps(id).derivation;
    throw new UserError('PATH_NOT_FOUND', `${name} has no output "${output}" in the store`, {
      hint: `Build it first: cairn build ${name}`,
    });
  }

  #emit(event: Event): void {
    this.#wish.emit(event);
  }
}

// Of what a step is made from; compositions have to do with Merkle nodes alone.
function readsFiles({ derivation: { kind } }: Step): boolean {
  return kind === 'run' || kind === 'unpack';
}

function namedNodes(nodes: readonly Node[]): Outputs {
  return Object.fromEntries(nodes.map((node, at) => [String(at), node]));
}

// What has to come from elsewhere: what is wanted, and what is needed by steps that are to be done.
function neededElsewhere(plan: Plan, sandbox: DerivationId | undefined): UpToDate[] {
  const inputs = [...plan.toBuild.values()].flatMap(({ step }) => step.inputIds);
  const needed = new Set([...plan.wanted, ...inputs, ...(sandbox === undefined ? [] : [sandbox])]);
  return [...plan.upToDate.values()].filter(
    ({ step, presence }) => presence === 'to-be-had' && needed.has(step.id),
  );
}

function report(
  wanted: readonly DerivationId[],
  plan: Plan,
  outcomes: ReadonlyMap<DerivationId, Outcome>,
  buildersCpuMs: number,
): BuildReport {
  const outputs = new Map<DerivationId, Outputs>();
  for (const id of wanted) {
    const outcome = outcomes.get(id);
    const found = (outcome && outputsOfOutcome(outcome)) ?? plan.upToDate.get(id)?.outputs;
    if (found !== undefined) outputs.set(id, found);
  }
  const all = [...outcomes.values()];
  const cancelled =
    all.some((outcome) => outcome.kind === 'cancelled') && !all.some((outcome) => outcome.kind === 'failed');
  const ok = wanted.every((id) => outputs.has(id));
  return { outcomes, outputs, cancelled, buildersCpuMs, ok, conflicts: [] };
}
