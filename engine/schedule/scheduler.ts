// When each planned step is started: as soon as its inputs are done and it is served with a slot, the one with the longest
// way behind it first. All state is touched on one thread by this one owner; how a step is done is somebody else's business.

import { MissingBlob } from '../../store/index.ts';
import { UserError, bug } from '../../store/base/errors.ts';
import { outputsOfOutcome, type Outcome, type Outputs } from '../events.ts';
import { TurnedAway } from '../execute/turned-away.ts';
import { failedBecause } from '../failure.ts';
import { graphOf, remainingMs } from '../graph.ts';
import { lostForGood, Rebuilds } from '../lost-content.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Plan, PlannedBuild, UpToDate } from '../plan/planner.ts';
import { resolveStep, type Lookup, type ResolvedStep } from '../plan/resolve.ts';
import type { Step } from '../step.ts';
import { BuildStates, type BuildState } from './build-states.ts';
import type { PoolName, Slot, SlotRequest, Slots } from './slots.ts';
import type { Busy, StepSlot } from './step-work.ts';
import { usualMs } from './usual-duration.ts';

/** What the scheduler asks of its surroundings. */
export interface SchedulerOptions {
  /** Shared with every other build of the workshop. */
  readonly slots: Slots;
  /** Which slots will do for a step. @throws UserError when there is none for it on this machine. */
  readonly poolsFor: (step: Step) => readonly PoolName[];
  /** How long a step is expected to take in each of them, in milliseconds; undefined where it makes no difference. */
  readonly takesMs: (resolved: ResolvedStep) => SlotRequest['takesMs'];
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
  /** Does the step. Busy: another process is at it. @throws MissingBlob when an input's content is not there; TurnedAway. */
  readonly perform: (resolved: ResolvedStep, slot: StepSlot) => Promise<Outcome | Busy>;
  /** Told when an executor that was given a step does not do it for now, and another is to have it. */
  readonly onTurnedAway: (step: Step, pool: PoolName, why: TurnedAway) => void;
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
  /** Became ready, but were not looked at yet. */
  readonly #arrived: DerivationId[] = [];
  /** What takes the request of a ready step back. */
  readonly #requests = new Map<DerivationId, () => void>();
  readonly #priorities = new Map<DerivationId, number>();
  readonly #upToDate = new Map<DerivationId, UpToDate>();
  /** Which executors have turned a step away. */
  readonly #closed = new Map<DerivationId, Set<PoolName>>();
  readonly #rebuilds = new Rebuilds();
  /** Aborted when nothing more is to be started. */
  readonly #noMore = new AbortController();
  #isDiskFull = false;
  #end: { resolve(): void; reject(error: unknown): void } | undefined;

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
    const { signal } = this.#options;
    const stop = (): void => {
      this.#stopStarting();
      this.#advance();
    };
    if (signal.aborted) this.#stopStarting();
    signal.addEventListener('abort', stop);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#end = { resolve, reject };
        this.#advance();
      });
    } finally {
      signal.removeEventListener('abort', stop);
      this.#stopStarting();
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
      (step) => toBuild.get(step.id)?.expectedMs ?? usualMs(step.derivation),
    );
    for (const [id, ms] of remaining) this.#priorities.set(id, ms);
  }

  // Looks at what became ready, settles what never will, and notices the end.
  #advance(): void {
    try {
      // A step that needs no work is done at once, and may make others ready.
      for (const id of this.#arrived) this.#arrive(id);
      this.#arrived.length = 0;
      if (this.#isUnderWay()) return;
      this.#settleRest();
      this.#end?.resolve();
    } catch (error) {
      this.#end?.reject(error);
    }
  }

  #isUnderWay(): boolean {
    const states = ['running', 'busy', ...(this.#mayStart() ? (['ready'] as const) : [])] as const;
    return states.some((state) => this.#states.count(state) > 0);
  }

  #mayStart(): boolean {
    return !this.#noMore.signal.aborted;
  }

  #stopStarting(): void {
    if (!this.#mayStart()) return;
    this.#noMore.abort();
    for (const withdraw of this.#requests.values()) withdraw();
    this.#requests.clear();
  }

  // Early cutoff needs no slot: what was done before is not started. All else queues, where what comes later and is more
  // urgent overtakes it; whatever it would hold while it waits, a lock above all, others would wait for with it.
  #arrive(id: DerivationId): void {
    // It may have been sent back to wait for lost content since.
    if (this.#states.state(id) !== 'ready' || this.#requests.has(id) || !this.#mayStart()) return;
    const step = this.#states.step(id);
    this.#settling(step, () => {
      const resolved = resolveStep(step, (input) => this.#outputs(input), this.#options.lookup);
      const realised = this.#options.realised(resolved);
      if (realised !== undefined) this.#finish(step, { kind: 'reused', outputs: realised }, resolved);
      else this.#queue(resolved);
    });
  }

  #queue(resolved: ResolvedStep): void {
    const { slots, takesMs } = this.#options;
    const { step } = resolved;
    const takes = takesMs(resolved);
    const withdraw = slots.request({
      pools: this.#poolsFor(step),
      ...(takes !== undefined && { takesMs: takes }),
      priority: this.#priority(step.id),
      grant: (slot) => {
        this.#requests.delete(step.id);
        this.#start(resolved, slot);
      },
    });
    this.#requests.set(step.id, withdraw);
  }

  #start(resolved: ResolvedStep, slot: Slot): void {
    const { step } = resolved;
    this.#states.set(step.id, 'running');
    let settled: (() => void) | undefined;
    const expectFollowers = (): void => void (settled ??= this.#expectFollowers(step));
    const workIsDone = (): void => {
      expectFollowers();
      slot.giveBack();
    };
    if (isShort(step.derivation.kind)) expectFollowers();
    this.#perform(resolved, { pool: slot.pool, workIsDone })
      .then(() => this.#advance())
      .catch((error: unknown) => this.#end?.reject(error))
      .finally(() => {
        slot.giveBack();
        settled?.();
      });
  }

  // What comes next is known already, and will be ready within moments: when this one's output is on the disk.
  #expectFollowers(step: Step): () => void {
    const followers = this.#states.waitingOnlyFor(step.id).map((id) => this.#priority(id));
    return followers.length === 0 ? () => undefined : this.#options.slots.expect(Math.max(...followers));
  }

  async #perform(resolved: ResolvedStep, slot: StepSlot): Promise<void> {
    const { step } = resolved;
    try {
      const end = await this.#options.perform(resolved, slot);
      if (end.kind === 'busy') this.#waitElsewhere(step, end);
      else this.#finish(step, end, resolved);
    } catch (error) {
      this.#settling(step, () => {
        if (!(error instanceof TurnedAway) || !this.#isLeftTo(step, slot.pool)) throw error;
        this.#options.onTurnedAway(step, slot.pool, error);
        this.#queueAgain(step.id);
      });
    }
  }

  #poolsFor(step: Step): readonly PoolName[] {
    const closed = this.#closed.get(step.id);
    return this.#options.poolsFor(step).filter((pool) => closed?.has(pool) !== true);
  }

  // True when there is another executor for a step that this one has turned away.
  #isLeftTo(step: Step, pool: PoolName): boolean {
    this.#closed.set(step.id, (this.#closed.get(step.id) ?? new Set()).add(pool));
    return this.#mayStart() && this.#poolsFor(step).length > 0;
  }

  // What goes wrong with a step is its own failure, except lost content: its producer can bring that back.
  #settling(step: Step, act: () => void): void {
    try {
      act();
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
    freed(this.#noMore.signal)
      .then(
        () => this.#queueAgain(step.id),
        (error: unknown) => {
          const outcome: Outcome = this.#mayStart() ? failedBecause(error) : { kind: 'cancelled' };
          this.#finish(step, outcome, undefined);
        },
      )
      .then(() => this.#advance())
      .catch((error: unknown) => this.#end?.reject(error));
  }

  #queueAgain(id: DerivationId): void {
    this.#states.set(id, 'waiting');
    this.#unblock(id);
  }

  #finish(step: Step, ended: Outcome, resolved: ResolvedStep | undefined): void {
    // Room is what every step needs: what one lacks, the next would lack as well, and to be told once is enough.
    const isFull = ended.kind === 'failed' && ended.failure.reason.kind === 'disk-full';
    const outcome: Outcome = isFull && this.#isDiskFull ? { kind: 'cancelled' } : ended;
    this.#isDiskFull ||= isFull;
    const state = outcome.kind === 'failed' ? 'failed' : outcome.kind === 'cancelled' ? 'cancelled' : 'done';
    this.#states.set(step.id, state, outcome);
    this.#options.onFinish(step, outcome, resolved);
    for (const dependent of this.#states.dependents(step.id)) {
      if (state === 'done') this.#unblock(dependent);
      else if (state === 'failed') this.#skip(dependent, step);
    }
    if (state === 'failed' && (isFull || !this.#options.keepGoing)) this.#stopStarting();
  }

  #unblock(id: DerivationId): void {
    if (this.#states.state(id) !== 'waiting' || !this.#states.isUnblocked(id)) return;
    this.#states.set(id, 'ready');
    this.#arrived.push(id);
  }

  #priority(id: DerivationId): number {
    return this.#priorities.get(id) ?? 0;
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
    const made = outcome && outputsOfOutcome(outcome);
    return (
      made ?? this.#upToDate.get(id)?.outputs ?? bug(`step ${id} was started before its inputs were done`)
    );
  }

  // A cache hit is a hint: when an input's content turns out to be gone, whoever made it is run again, and `step` waits.
  #rebuildProducers(step: Step, missing: MissingBlob): boolean {
    const producers = [...this.#options.producers(this.#needs(step), missing)];
    // Several steps may miss the same content: it is made again once for all of them.
    const settled = producers.filter((id) => !this.#states.has(id) || !isUnsettled(this.#states.state(id)));
    const lost = this.#rebuilds.take(settled);
    if (lost.size === 0 && settled.length === producers.length) return false;
    this.#states.set(step.id, 'waiting');
    if (lost.size > 0) this.#reopen(lost);
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
    this.adopt(again);
    // What was ready because of them waits again; what runs will say itself when it finds content missing.
    for (const id of again.toBuild.keys())
      for (const dependent of this.#states.dependents(id)) this.#unready(dependent);
    for (const id of again.toBuild.keys()) this.#unblock(id);
  }

  #unready(id: DerivationId): void {
    if (this.#states.state(id) !== 'ready' || this.#states.isUnblocked(id)) return;
    this.#states.set(id, 'waiting');
    this.#requests.get(id)?.();
    this.#requests.delete(id);
  }
}

// A folder that is imported takes as long as it is large.
function isShort(kind: Step['derivation']['kind']): boolean {
  return kind === 'compose' || kind === 'write';
}

function isUnsettled(state: BuildState): boolean {
  return state === 'waiting' || state === 'ready' || state === 'running' || state === 'busy';
}

function isDeadEnd(state: BuildState): boolean {
  return state === 'failed' || state === 'skipped' || state === 'cancelled';
}
