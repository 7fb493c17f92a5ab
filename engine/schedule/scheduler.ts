// When each planned step is started: as soon as its inputs are done and a slot is free, the one with the longest way
// behind it first. All state is touched on one thread by this one owner; how a step is done is somebody else's business.

import { MissingBlob } from '../../store/index.ts';
import { UserError, bug } from '../../store/base/errors.ts';
import type { Outcome, Outputs } from '../events.ts';
import { failedBecause } from '../failure.ts';
import { graphOf, remainingMs } from '../graph.ts';
import { lostForGood, mostRebuilds } from '../lost-content.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Plan, PlannedBuild, UpToDate } from '../plan/planner.ts';
import { resolveStep, type Lookup, type ResolvedStep } from '../plan/resolve.ts';
import type { Step } from '../step.ts';
import { BuildStates, type BuildState } from './build-states.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { Busy } from './step-work.ts';
import { slotKind, type Slot, type SlotKind, type Slots } from './slots.ts';
import { usualMs } from './usual-duration.ts';

/** What the scheduler asks of its surroundings. */
export interface SchedulerOptions {
  readonly slots: Slots;
  /** Go on with what does not depend on a failure. */
  readonly keepGoing: boolean;
  /** Aborted: start nothing more. */
  readonly signal: AbortSignal;
  readonly lookup: Lookup;
  readonly sandbox: DerivationId | undefined;
  /** Outputs of an action that is realised already, if it is. */
  readonly realised: (resolved: ResolvedStep) => Outputs | undefined;
  /** The steps, among these and below them, that lost content came from. */
  readonly producers: (ids: Iterable<DerivationId>, missing: MissingBlob) => ReadonlySet<DerivationId>;
  /**
   * Does the step, and may give its slot back before it has ended. Busy: another process is at it.
   * @throws MissingBlob when an input's content is not there.
   */
  readonly perform: (resolved: ResolvedStep, slot: Slot) => Promise<Outcome | Busy>;
  /** Forgets what `lost` gave, and plans it again. */
  readonly replan: (lost: ReadonlySet<DerivationId>) => Plan;
  readonly onFinish: (step: Step, outcome: Outcome, resolved: ResolvedStep | undefined) => void;
}

/** Runs a plan to its end. Resolves when nothing runs any more; never rejects for a step's failure. */
export async function runPlan(plan: Plan, options: SchedulerOptions): Promise<Map<DerivationId, Outcome>> {
  const scheduler = new Scheduler(options);
  scheduler.adopt(plan);
  return scheduler.run();
}

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #states = new BuildStates();
  readonly #queues: Readonly<Record<SlotKind, ReadyQueue>> = {
    run: new ReadyQueue(),
    fetch: new ReadyQueue(),
    unpack: new ReadyQueue(),
    inline: new ReadyQueue(),
  };
  readonly #priorities = new Map<DerivationId, number>();
  readonly #upToDate = new Map<DerivationId, UpToDate>();
  readonly #rebuilds = new Map<DerivationId, number>();
  #end: { resolve(): void; reject(error: unknown): void } | undefined;
  #hasFailed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Takes over a plan, the first or one made again for lost content. */
  adopt(plan: Plan): void {
    for (const [id, upToDate] of plan.upToDate) if (!this.#states.has(id)) this.#upToDate.set(id, upToDate);
    const added = [...plan.toBuild.values()].filter(({ step }) => !this.#states.has(step.id));
    for (const { step } of added) {
      this.#upToDate.delete(step.id);
      this.#states.add(step, this.#needs(step));
    }
    this.#prioritise(plan.toBuild);
    for (const { step } of added) this.#unblock(step.id);
  }

  async run(): Promise<Map<DerivationId, Outcome>> {
    const stop = (): void => this.#advance();
    this.#options.signal.addEventListener('abort', stop);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#end = { resolve, reject };
        this.#advance();
      });
    } finally {
      this.#options.signal.removeEventListener('abort', stop);
    }
    return new Map(
      [...this.#states.ids()].map((id) => [id, this.#states.outcome(id) ?? bug('a step has no outcome')]),
    );
  }

  #needs(step: Step): readonly DerivationId[] {
    const { sandbox } = this.#options;
    return step.derivation.kind === 'run' && sandbox !== undefined
      ? [...step.inputIds, sandbox]
      : step.inputIds;
  }

  #prioritise(toBuild: ReadonlyMap<DerivationId, PlannedBuild>): void {
    const graph = graphOf([...toBuild.values()].map(({ step }) => step));
    const remaining = remainingMs(
      graph,
      (step) => toBuild.get(step.id)?.planned.expectedMs ?? usualMs(step.derivation),
    );
    for (const [id, ms] of remaining) this.#priorities.set(id, ms);
  }

  // Starts what may start, settles what never will, and notices the end.
  #advance(): void {
    try {
      // A step that needs no work is done at once, and what waited for it may be of a kind that had its turn before.
      while (this.#mayStart() && this.#startReady() > 0);
      if (this.#isUnderWay()) return;
      this.#settleRest();
      this.#end?.resolve();
    } catch (error) {
      this.#end?.reject(error);
    }
  }

  // What is ready is started when the last slot comes back, which is a little later than its step ends.
  #isUnderWay(): boolean {
    const states = ['running', 'busy', ...(this.#mayStart() ? (['ready'] as const) : [])] as const;
    return states.some((state) => this.#states.count(state) > 0);
  }

  #mayStart(): boolean {
    return !this.#options.signal.aborted && (!this.#hasFailed || this.#options.keepGoing);
  }

  #startReady(): number {
    const kinds = ['inline', 'fetch', 'unpack', 'run'] as const;
    return kinds.reduce((started, kind) => started + this.#startWhile(kind), 0);
  }

  // The slot is taken with the step: what is ready and has none stays in the queue, where what comes later may overtake it.
  #startWhile(kind: SlotKind): number {
    const { slots } = this.#options;
    const queue = this.#queues[kind];
    for (let started = 0; ;) {
      const id = slots.isFree(kind) ? queue.pop() : undefined;
      if (id === undefined) return started;
      // A step may have been queued, sent back to wait for lost content, and queued again.
      if (this.#states.state(id) !== 'ready') continue;
      this.#start(this.#states.step(id), slots.take(kind));
      started++;
    }
  }

  #start(step: Step, slot: Slot): void {
    this.#states.set(step.id, 'running');
    const fail = (error: unknown): void => this.#end?.reject(error);
    void slot.isBack.then(() => this.#advance());
    void this.#perform(step, slot)
      .finally(() => slot.giveBack())
      .then(() => this.#advance(), fail);
  }

  async #perform(step: Step, slot: Slot): Promise<void> {
    try {
      const resolved = resolveStep(step, (id) => this.#outputs(id), this.#options.lookup);
      const realised = this.#options.realised(resolved);
      const end: Outcome | Busy =
        realised === undefined
          ? await this.#options.perform(resolved, slot)
          : { kind: 'reused', outputs: realised };
      if (end.kind === 'busy') this.#waitElsewhere(step, end);
      else this.#finish(step, end, resolved);
    } catch (error) {
      if (error instanceof UserError) this.#finish(step, failedBecause(error), undefined);
      else if (!(error instanceof MissingBlob)) throw error;
      else if (!this.#rebuildProducers(step, error))
        this.#finish(step, failedBecause(lostForGood(error, step.derivation.name)), undefined);
    }
  }

  // Without a slot; when the other process has ended, the step queues again, and finds done what that has done.
  #waitElsewhere(step: Step, { freed }: Busy): void {
    this.#states.set(step.id, 'busy');
    const { signal } = this.#options;
    freed(signal)
      .then(
        () => this.#queueAgain(step.id),
        (error: unknown) => {
          this.#finish(step, signal.aborted ? { kind: 'cancelled' } : failedBecause(error), undefined);
        },
      )
      .then(() => this.#advance())
      .catch((error: unknown) => this.#end?.reject(error));
  }

  #queueAgain(id: DerivationId): void {
    if (this.#states.state(id) !== 'busy') return;
    this.#states.set(id, 'waiting');
    this.#unblock(id);
  }

  #finish(step: Step, outcome: Outcome, resolved: ResolvedStep | undefined): void {
    const state = outcome.kind === 'failed' ? 'failed' : outcome.kind === 'cancelled' ? 'cancelled' : 'done';
    if (state === 'failed') this.#hasFailed = true;
    this.#states.set(step.id, state, outcome);
    this.#options.onFinish(step, outcome, resolved);
    for (const dependent of this.#states.dependents(step.id)) {
      if (state === 'done') this.#unblock(dependent);
      else if (state === 'failed') this.#skip(dependent, step);
    }
  }

  #unblock(id: DerivationId): void {
    if (this.#states.state(id) !== 'waiting' || !this.#states.isUnblocked(id)) return;
    this.#states.set(id, 'ready');
    this.#queues[slotKind(this.#states.step(id).derivation.kind)].push(id, this.#priorities.get(id) ?? 0);
  }

  #skip(id: DerivationId, because: Step): void {
    const pending = [id];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#states.state(next) !== 'waiting') continue;
      const outcome: Outcome = { kind: 'skipped', because: [because.derivation.name] };
      this.#states.set(next, 'skipped', outcome);
      this.#options.onFinish(this.#states.step(next), outcome, undefined);
      pending.push(...this.#states.dependents(next));
    }
  }

  // A step that waits for one that has failed already is skipped, as it would have been when that failed.
  #skipBecauseOf(id: DerivationId): void {
    const dead = this.#states.inputs(id).find((input) => isDeadEnd(this.#states.state(input)));
    if (dead !== undefined) this.#skip(id, this.#states.step(dead));
  }

  #settleRest(): void {
    for (const id of this.#states.ids()) {
      const state = this.#states.state(id);
      if (state !== 'waiting' && state !== 'ready') continue;
      if (this.#mayStart()) bug(`${this.#states.step(id).derivation.name} waits for nothing that runs`);
      this.#states.set(id, 'cancelled', { kind: 'cancelled' });
      this.#options.onFinish(this.#states.step(id), { kind: 'cancelled' }, undefined);
    }
  }

  #outputs(id: DerivationId): Outputs {
    const outcome = this.#states.has(id) ? this.#states.outcome(id) : undefined;
    if (outcome !== undefined && 'outputs' in outcome) return outcome.outputs;
    return this.#upToDate.get(id)?.outputs ?? bug(`step ${id} was started before its inputs were done`);
  }

  // A cache hit is a hint: when an input's content turns out to be gone, whoever made it is run again, and `step` waits.
  #rebuildProducers(step: Step, missing: MissingBlob): boolean {
    const producers = [...this.#options.producers(this.#needs(step), missing)];
    const lost = new Set(producers.filter((id) => (this.#rebuilds.get(id) ?? 0) < mostRebuilds));
    if (lost.size === 0) return false;
    for (const id of lost) this.#rebuilds.set(id, (this.#rebuilds.get(id) ?? 0) + 1);
    this.#states.set(step.id, 'waiting');
    this.#reopen(lost);
    // Its producer may be running again already, be done again already, or have failed for good.
    this.#unblock(step.id);
    this.#skipBecauseOf(step.id);
    return true;
  }

  #reopen(lost: ReadonlySet<DerivationId>): void {
    const again = this.#options.replan(lost);
    for (const id of again.toBuild.keys()) {
      if (this.#states.has(id) && this.#states.state(id) === 'done') this.#states.set(id, 'waiting');
    }
    // What was ready because of them waits again; what runs will say itself when it finds content missing.
    for (const id of again.toBuild.keys())
      for (const dependent of this.#states.dependents(id))
        if (this.#states.state(dependent) === 'ready') this.#states.set(dependent, 'waiting');
    this.adopt(again);
    for (const id of again.toBuild.keys()) this.#unblock(id);
  }
}

function isDeadEnd(state: BuildState): boolean {
  return state === 'failed' || state === 'skipped' || state === 'cancelled';
}
