// The scheduler by itself: a graph of commands, and a function in the place of all that does them.

import { digestOf } from '../../store/base/digest.ts';
import type { Failed, Outcome, Outputs } from '../../engine/events.ts';
import type { Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { makePlan } from '../../engine/plan/planner.ts';
import type { ResolvedStep } from '../../engine/plan/resolve.ts';
import { runPlan } from '../../engine/schedule/scheduler.ts';
import type { Busy, StepSlot } from '../../engine/schedule/step-work.ts';
import { Slots, type PoolName } from '../../engine/schedule/slots.ts';
import { nothingKnown } from './plan-facts.ts';
import { stepSource } from './steps.ts';

export interface Rig {
  readonly perform: (
    name: string,
    resolved: ResolvedStep,
    slot: StepSlot,
  ) => Promise<Outcome | Busy> | Outcome | Busy;
  readonly keepGoing?: boolean;
  readonly run?: number;
  readonly slots?: Slots;
  readonly durations?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  readonly producers?: (ids: Iterable<DerivationId>) => ReadonlySet<DerivationId>;
  readonly realised?: (resolved: ResolvedStep) => Outputs | undefined;
}

export function slotsFor(run: number): Slots {
  return new Slots(
    new Map<PoolName, number>([
      ['run:local', run],
      ['fetch', 1],
      ['unpack', 1],
      ['inline', 64],
    ]),
  );
}

/** Runs a graph with steps done by `perform`; gives the outcome of each by name, and the order of starts. */
export async function schedule(
  wanted: Derivation,
  rig: Rig,
): Promise<{ outcomes: Map<string, Outcome['kind']>; started: string[] }> {
  const { steps, idOf } = stepSource(wanted);
  const facts: PlanFacts = {
    ...nothingKnown,
    duration: (lineage) => rig.durations?.[lineage.split('@')[0]!],
  };
  const started: string[] = [];
  const outcomes = await runPlan(makePlan([idOf(wanted)], { steps, facts }), {
    slots: rig.slots ?? slotsFor(rig.run ?? 2),
    poolsFor: ({ derivation: { kind } }) => [
      kind === 'run' ? 'run:local' : kind === 'fetch' || kind === 'unpack' ? kind : 'inline',
    ],
    takesMs: () => undefined,
    onTurnedAway: () => undefined,
    keepGoing: rig.keepGoing ?? false,
    signal: rig.signal ?? new AbortController().signal,
    lookup: () => undefined,
    sandbox: undefined,
    realised: rig.realised ?? (() => undefined),
    producers: rig.producers ?? (() => new Set()),
    replan: (lost) => makePlan([...lost], { steps, facts, rebuild: lost }),
    perform: async (resolved, slot) => {
      started.push(resolved.step.derivation.name);
      return rig.perform(resolved.step.derivation.name, resolved, slot);
    },
    onFinish: () => undefined,
  });
  return {
    started,
    outcomes: new Map([...outcomes].map(([id, { kind }]) => [steps(id).derivation.name, kind])),
  };
}

export const busyForever = (): Busy => ({
  kind: 'busy',
  freed: (signal) =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
});
export const treeOf = (content: string): Outputs => ({
  out: { kind: 'tree', digest: digestOf(Buffer.from(content)) },
});
export const built = (content: string): Outcome => ({
  kind: 'built',
  outputs: treeOf(content),
  durationMs: 1,
  log: undefined,
});
export const failed: Failed = {
  kind: 'failed',
  durationMs: 1,
  failure: {
    reason: { kind: 'exit', status: 1 },
    message: '',
    hint: undefined,
    code: '',
    logTail: [],
    logFile: undefined,
    keptFolder: undefined,
  },
};
