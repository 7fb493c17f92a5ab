// The state of every step of one run, changed in one place. Knows nothing of how steps are done.
//
//   waiting ──inputs done──▶ ready ──started──▶ running ──▶ done
//      ▲  └─an input failed─▶ skipped  ◀─freed─ busy ◀─┤   (another process is doing it)
//      │                                               ├─────▶ failed
//      └────────content was lost (reopen)──────────────┴─────▶ cancelled

import { bug } from '../../store/base/errors.ts';
import type { Outcome } from '../events.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step } from '../step.ts';

export type BuildState =
  'waiting' | 'ready' | 'running' | 'busy' | 'done' | 'failed' | 'skipped' | 'cancelled';

const legal: Readonly<Record<BuildState, readonly BuildState[]>> = {
  waiting: ['ready', 'skipped', 'cancelled'],
  // Done or failed without ever running: what it comes to was there already, or cannot be told.
  ready: ['running', 'done', 'failed', 'skipped', 'cancelled', 'waiting'],
  running: ['done', 'failed', 'cancelled', 'waiting', 'busy'],
  busy: ['ready', 'waiting', 'cancelled', 'failed'],
  done: ['waiting'],
  failed: [],
  skipped: [],
  cancelled: [],
};

interface Entry {
  readonly step: Step;
  readonly inputs: readonly DerivationId[];
  state: BuildState;
  outcome: Outcome | undefined;
  /** How many of its inputs belong to this run and are not done. */
  open: number;
}

/** All steps of a run with their states; `dependents` go the other way than inputs. */
export class BuildStates {
  readonly #entries = new Map<DerivationId, Entry>();
  readonly #dependents = new Map<DerivationId, DerivationId[]>();
  readonly #counts = new Map<BuildState, number>();

  /** Adds a step; it waits for those of `inputs` that are steps of this run. */
  add(step: Step, inputs: readonly DerivationId[]): void {
    if (this.#entries.has(step.id)) return;
    const entry: Entry = {
      step,
      inputs: [...new Set(inputs)],
      state: 'waiting',
      outcome: undefined,
      open: 0,
    };
    entry.open = entry.inputs.filter((input) => this.#isOpen(input)).length;
    this.#entries.set(step.id, entry);
    this.#count('waiting', 1);
    this.#countOpen(step.id, 1);
    for (const input of entry.inputs) {
      const dependents = this.#dependents.get(input);
      if (dependents === undefined) this.#dependents.set(input, [step.id]);
      else dependents.push(step.id);
    }
  }

  has(id: DerivationId): boolean {
    return this.#entries.has(id);
  }

  state(id: DerivationId): BuildState {
    return this.#entry(id).state;
  }

  outcome(id: DerivationId): Outcome | undefined {
    return this.#entry(id).outcome;
  }

  step(id: DerivationId): Step {
    return this.#entry(id).step;
  }

  /** The only place where a state changes. */
  set(id: DerivationId, state: BuildState, outcome?: Outcome): void {
    const entry = this.#entry(id);
    if (!legal[entry.state].includes(state))
      bug(`${entry.step.derivation.name} cannot go from ${entry.state} to ${state}`);
    this.#count(entry.state, -1);
    this.#count(state, 1);
    this.#countOpen(id, Number(entry.state === 'done') - Number(state === 'done'));
    entry.state = state;
    entry.outcome = outcome;
  }

  count(state: BuildState): number {
    return this.#counts.get(state) ?? 0;
  }

  /** True when every input that belongs to this run is done. */
  isUnblocked(id: DerivationId): boolean {
    return this.#entry(id).open === 0;
  }

  /** Steps that wait for `id` and nothing else. */
  waitingOnlyFor(id: DerivationId): DerivationId[] {
    return this.dependents(id).filter((dependent) => {
      const { state, open } = this.#entry(dependent);
      return state === 'waiting' && open === 1;
    });
  }

  /** Steps of this run that `id` needs directly. */
  inputs(id: DerivationId): readonly DerivationId[] {
    return this.#entry(id).inputs.filter((input) => this.#entries.has(input));
  }

  /** Steps of this run that need `id` directly. */
  dependents(id: DerivationId): readonly DerivationId[] {
    return this.#dependents.get(id) ?? [];
  }

  *ids(): Generator<DerivationId> {
    yield* this.#entries.keys();
  }

  #entry(id: DerivationId): Entry {
    return this.#entries.get(id) ?? bug(`no step ${id} in this run`);
  }

  #isOpen(id: DerivationId): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && entry.state !== 'done';
  }

  #countOpen(id: DerivationId, change: number): void {
    if (change !== 0) for (const dependent of this.dependents(id)) this.#entry(dependent).open += change;
  }

  #count(state: BuildState, change: number): void {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + change);
  }
}
