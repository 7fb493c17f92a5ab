// The engine's composition: plans, schedules and performs what is wanted, on one store. The sandbox, the downloads and
// the archives are opened only when a step needs them.

import { hostname } from 'node:os';
import { bug, UserError } from '../store/base/errors.ts';
import { MissingBlob, type Node, type Store } from '../store/index.ts';
import type { CheckResult } from './check.ts';
import type { Emit, Event, Outcome, Outputs } from './events.ts';
import type { BuildRequest, Executor } from './execute/executor.ts';
import type { ActionId, DerivationId } from './model/encode.ts';
import type { PerformContext } from './perform/perform.ts';
import type { PlanFacts } from './plan/facts.ts';
import { makePlan, plannedSteps, type Plan } from './plan/planner.ts';
import { resolveStep, type ResolvedStep } from './plan/resolve.ts';
import { lostForGood, lostIn, producersOf, Rebuilds } from './lost-content.ts';
import type { PoolName, Slots } from './schedule/slots.ts';
import { lineageOf, stepRef, type Step, type StepSource } from './step.ts';

/** What an engine works with. */
export interface EngineOptions {
  readonly store: Store;
  readonly steps: StepSource;
  /** The step that gives the sandbox's own program; undefined to use an installed one. */
  readonly sandbox: DerivationId | undefined;
  /** How much may be under way at once. */
  readonly capacities: ReadonlyMap<PoolName, number>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly fetch: PerformContext['fetch'];
  readonly unpack: PerformContext['unpack'];
  /** Opens the executor; `tool` is the folder with the sandbox's program, when the flake gives one. */
  readonly openExecutor: (tool: string | undefined) => Promise<Executor>;
  /** Ends what `fetch` and `unpack` have started. */
  readonly close: () => Promise<void>;
}

export interface BuildOptions {
  /** Build the wanted steps even if they are up to date. */
  readonly rebuild?: boolean;
  readonly keepGoing?: boolean;
}

export interface BuildReport {
  /** Of every step that was looked at and was not up to date already. */
  readonly outcomes: ReadonlyMap<DerivationId, Outcome>;
  /** Outputs of each wanted step that has them. */
  readonly outputs: ReadonlyMap<DerivationId, Outputs>;
  readonly ok: boolean;
  readonly cancelled: boolean;
  /** Processor time that the build's commands used, in milliseconds. */
  readonly buildersCpuMs: number;
}

/** One store, one flake, any number of builds. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #facts: PlanFacts;
  /** Steps that are to be done whatever the records say. */
  readonly #forced = new Set<DerivationId>();
  #slots: Promise<Slots> | undefined;
  #executor: Promise<Executor> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#facts = planFacts(options.store);
  }

  /** What a build would do, and why. Changes nothing. */
  plan(wanted: readonly DerivationId[], options: BuildOptions = {}): Plan {
    const requested = options.rebuild === true ? wanted : this.#forced;
    return this.#plan(wanted, new Set([...requested, ...this.#producersOfLost(wanted)]));
  }

  /** What a step gave, when it is up to date. Whether all of it is still there is for `whole` to find out. */
  outputsOf(id: DerivationId): Outputs | undefined {
    return this.#plan([id], this.#forced).upToDate.get(id)?.outputs;
  }

  /** Builds what is wanted and not up to date. Failed steps are outcomes in the report. */
  async build(wanted: readonly DerivationId[], options: BuildOptions = {}): Promise<BuildReport> {
    if (options.rebuild === true) for (const id of wanted) this.#forced.add(id);
    const lost = this.#producersOfLost(wanted);
    if (lost.size > 0) this.#forget(lost);
    const plan = await this.#planToUse(wanted);
    this.#emit({ type: 'planned', steps: plannedSteps(plan) });
    await this.#recordCutOffs(plan);
    if (plan.toBuild.size === 0) return report(wanted, plan, new Map(), 0);
    const before = await this.#buildersCpuMs();
    const outcomes = await this.#run(plan, options);
    return report(wanted, plan, outcomes, (await this.#buildersCpuMs()) - before);
  }

  /**
   * Runs `use`, which reads content of these steps' outputs; what of it turns out to be lost is built again first.
   * @throws UserError `STORE_MISSING_BLOB` when even that does not bring it back.
   */
  async whole<T>(ids: readonly DerivationId[], use: () => T | Promise<T>): Promise<T> {
    const rebuilds = new Rebuilds();
    for (;;) {
      try {
        return await use();
      } catch (error) {
        if (!(error instanceof MissingBlob)) throw error;
        await this.#rebuildLost(rebuilds.take(this.#producersOf(ids, error)), error);
      }
    }
  }

  /** A folder with the content of an output, for steps or for this process to read. Errors are those of `whole`. */
  materialise(id: DerivationId, output = 'out'): Promise<string> {
    const { store } = this.#options;
    return this.whole([id], () => {
      const node = this.#outputNode(id, output);
      return node.kind === 'tree'
        ? store.materialise(node.digest)
        : store.materialiseBlob(node.digest, node.executable);
    });
  }

  /** The same for people: content that no step is run on. */
  handOut(id: DerivationId, output = 'out'): Promise<string> {
    return this.whole([id], () => this.#options.store.handOut(this.#outputNode(id, output)));
  }

  /** Builds commands that are up to date a second time under other conditions, and compares. */
  async check(steps: readonly Step[]): Promise<CheckResult[]> {
    const { store, signal } = this.#options;
    const [{ checkStep }, slots, executor] = await Promise.all([
      import('./check.ts'),
      this.#openSlots(),
      this.executor(),
    ]);
    const context = { store, signal, executor, emit: (event: Event): void => this.#emit(event) };
    return Promise.all(
      steps.map((step) => {
        const request = {
          pools: ['run:local'] as const,
          priority: this.#facts.duration(lineageOf(step.derivation)) ?? 0,
        };
        const checked = (): Promise<CheckResult> =>
          slots.use(request, signal, () => checkStep(step, context));
        return this.whole([step.id, ...step.inputIds], checked);
      }),
    );
  }

  /** What a command's sandbox is made of. Everything it needs must be up to date. */
  async requestOf(step: Step): Promise<BuildRequest> {
    const { upToDate } = this.#plan(step.inputIds, this.#forced);
    const { buildRequest } = await import('./perform/perform.ts');
    const { derivation } = step;
    if (derivation.kind !== 'run') bug(`${derivation.name} runs no command`);
    const outputsOf = (id: DerivationId): Outputs => upToDate.get(id)?.outputs ?? bug(`${id} is not built`);
    return buildRequest(derivation, resolveStep(step, outputsOf, this.#facts.lookup).nodes);
  }

  /** The executor, with the sandbox's program brought up to date if need be. */
  executor(): Promise<Executor> {
    this.#executor ??= this.#openExecutor();
    return this.#executor;
  }

  async close(): Promise<void> {
    const executor = await this.#executor?.catch(() => undefined);
    await executor?.close();
    await this.#options.close();
  }

  async #buildersCpuMs(): Promise<number> {
    const executor = await this.#executor?.catch(() => undefined);
    return executor?.buildersCpuMs() ?? 0;
  }

  // Where there is something to do, all that is found to be there must stay until it is done.
  async #planToUse(wanted: readonly DerivationId[]): Promise<Plan> {
    const plan = this.#plan(wanted, this.#forced);
    if (plan.toBuild.size === 0) return plan;
    const { store, sandbox } = this.#options;
    await store.use(sandbox === undefined ? wanted : [...wanted, sandbox]);
    return this.#plan(wanted, this.#forced);
  }

  #plan(wanted: readonly DerivationId[], rebuild: ReadonlySet<DerivationId>): Plan {
    const { steps, sandbox } = this.#options;
    return makePlan(wanted, { steps, sandbox, rebuild, facts: this.#facts });
  }

  async #run(plan: Plan, { keepGoing = false }: BuildOptions): Promise<Map<DerivationId, Outcome>> {
    const { signal, sandbox } = this.#options;
    // Loaded with the first plan that has something to do: most find everything up to date.
    const [{ runPlan }, { performStep }, slots] = await Promise.all([
      import('./schedule/scheduler.ts'),
      import('./perform/perform.ts'),
      this.#openSlots(),
    ]);
    const reused: { readonly step: Step; readonly action: ActionId; readonly outputs: Outputs }[] = [];
    const outcomes = await runPlan(plan, {
      slots,
      poolsFor: ({ derivation }) => [poolOf(derivation.kind)],
      keepGoing,
      signal,
      sandbox,
      lookup: this.#facts.lookup,
      realised: (resolved) => this.#realised(resolved),
      perform: (resolved, slot) => performStep(resolved, slot, this.#performContext()),
      producers: (ids, missing) => this.#producersOf(ids, missing),
      replan: (lost) => this.#replan(lost),
      onFinish: (step, outcome, resolved) => {
        this.#forced.delete(step.id);
        if (outcome.kind === 'reused' && resolved !== undefined)
          reused.push({ step, action: resolved.action, outputs: outcome.outputs });
        this.#emit({ type: 'step-finished', step: stepRef(step), outcome });
      },
    });
    await this.#recordReused(reused);
    return outcomes;
  }

  #realised({ step, action }: ResolvedStep): Outputs | undefined {
    if (this.#forced.has(step.id)) return undefined;
    const outputs = this.#facts.realisation(action)?.outputs;
    return outputs !== undefined && this.#facts.hasOutputs(outputs) ? outputs : undefined;
  }

  #replan(lost: ReadonlySet<DerivationId>): Plan {
    this.#forget(lost);
    return this.#plan([...lost], lost);
  }

  // What these gave is not to be relied on: they are done again, whatever the records say.
  #forget(lost: ReadonlySet<DerivationId>): void {
    for (const id of lost) {
      this.#forced.add(id);
      const step = stepRef(this.#options.steps(id));
      const message = `content of ${step.name} is missing or damaged in the store: building it again`;
      this.#emit({ type: 'notice', step, message });
    }
  }

  // What is handed out must be whole: of what is wanted, every blob is looked for, not only the top.
  #producersOfLost(wanted: readonly DerivationId[]): Set<DerivationId> {
    const { store, steps } = this.#options;
    const outputs = wanted.flatMap((id) => {
      const memo = this.#facts.memo(id);
      return memo === undefined ? [] : [memo.outputs];
    });
    const lost = lostIn(outputs, store);
    return lost.size === 0 ? new Set() : producersOf(wanted, lost, { store, steps });
  }

  #producersOf(ids: Iterable<DerivationId>, missing: MissingBlob): Set<DerivationId> {
    const { store, steps } = this.#options;
    return producersOf(ids, new Set([missing.digest]), { store, steps });
  }

  async #rebuildLost(producers: ReadonlySet<DerivationId>, missing: MissingBlob): Promise<void> {
    const plan = this.#replan(producers);
    const outcomes = await this.#run(plan, {});
    const failed = [...outcomes].find(([, outcome]) => !('outputs' in outcome));
    if (plan.toBuild.size === 0 || failed !== undefined) throw lostForGood(missing);
  }

  // Derivations that are new, but whose action was realised before: the next plan should not have to resolve them.
  async #recordCutOffs(plan: Plan): Promise<void> {
    const cutOff = [...plan.upToDate.values()].filter((upToDate) => upToDate.cutOff !== undefined);
    await this.#recordReused(
      cutOff.map(({ step, outputs, cutOff: action }) => ({ step, outputs, action: action! })),
    );
  }

  async #recordReused(
    reused: readonly { readonly step: Step; readonly action: ActionId; readonly outputs: Outputs }[],
  ): Promise<void> {
    if (reused.length === 0) return;
    await this.#options.store.records.update((records) => {
      for (const { step, action, outputs } of reused) {
        records.putMemo({ derivation: step.id, action, outputs });
        records.putLineage(lineageOf(step.derivation), { derivation: step.id, action });
      }
    });
  }

  #performContext(): PerformContext {
    const { store, signal, fetch, unpack } = this.#options;
    return {
      store,
      signal,
      fetch,
      unpack,
      emit: (event) => this.#emit(event),
      onStart: (step) =>
        this.#emit({
          type: 'step-started',
          step: stepRef(step),
          expectedMs: this.#facts.duration(lineageOf(step.derivation)),
        }),
      builder: hostname(),
      realised: (resolved) => this.#realised(resolved),
      executor: () => this.executor(),
    };
  }

  #openSlots(): Promise<Slots> {
    this.#slots ??= import('./schedule/slots.ts').then(({ Slots }) => new Slots(this.#options.capacities));
    return this.#slots;
  }

  async #openExecutor(): Promise<Executor> {
    const { sandbox, openExecutor } = this.#options;
    if (sandbox === undefined) return openExecutor(undefined);
    const { ok } = this.#facts.memo(sandbox) === undefined ? await this.build([sandbox]) : { ok: true };
    if (ok) return openExecutor(await this.materialise(sandbox));
    throw new UserError('SANDBOX_UNAVAILABLE', "the sandbox's own program could not be built", {
      hint: 'The failed step above says why.',
      fault: 'environment',
    });
  }

  #outputNode(id: DerivationId, output: string): Exclude<Node, { kind: 'symlink' }> {
    const node = this.#facts.memo(id)?.outputs[output];
    if (node !== undefined && node.kind !== 'symlink') return node;
    const { name } = this.#options.steps(id).derivation;
    throw new UserError('PATH_NOT_FOUND', `${name} has no output "${output}" in the store`, {
      hint: `Build it first: cairn build ${name}`,
    });
  }

  #emit(event: Event): void {
    this.#options.emit(event);
  }
}

/** The store's records, as the planner asks for them. */
export function planFacts(store: Store): PlanFacts {
  const { records, trees, blobs } = store;
  const has = (node: Node): boolean =>
    node.kind === 'symlink' ||
    (node.kind === 'tree' ? trees.get(node.digest) !== undefined : blobs.has(node.digest));
  return {
    memo: (id) => records.memo(id),
    realisation: (action) => records.realisation(action),
    lineage: (name) => records.lineage(name),
    description: (id) => records.description(id),
    duration: (lineage) => records.duration(lineage),
    hasOutputs: (outputs) => Object.values(outputs).every(has),
    lookup: (root, path) => trees.lookup(root, path),
  };
}

function poolOf(kind: Step['derivation']['kind']): PoolName {
  if (kind === 'run') return 'run:local';
  return kind === 'fetch' || kind === 'unpack' ? kind : 'inline';
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
    const found =
      outcome !== undefined && 'outputs' in outcome ? outcome.outputs : plan.upToDate.get(id)?.outputs;
    if (found !== undefined) outputs.set(id, found);
  }
  const all = [...outcomes.values()];
  const cancelled =
    all.some((outcome) => outcome.kind === 'cancelled') && !all.some((outcome) => outcome.kind === 'failed');
  return { outcomes, outputs, cancelled, buildersCpuMs, ok: wanted.every((id) => outputs.has(id)) };
}
