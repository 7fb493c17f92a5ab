// A cluster that is not there: the real planner and scheduler start commands on so many workers, which take as long as they are
// said to by a clock of their own. Knows nothing of content: each step is built, and what it reads is what its inputs gave.

import { inputsOf, run } from '../../../engine/model/derivation.ts';
import type { DerivationId } from '../../../engine/model/encode.ts';
import type { PlanFacts } from '../../../engine/plan/facts.ts';
import { makePlan } from '../../../engine/plan/planner.ts';
import { expectedMs } from '../../../engine/schedule/earliest-finish.ts';
import { runPlan } from '../../../engine/schedule/scheduler.ts';
import { Slots, type PoolName } from '../../../engine/schedule/slots.ts';
import { stepLabel, type Lineage, type Step } from '../../../engine/step.ts';
import { usualPace } from '../../../engine/schedule/pace.ts';
import { digestOf } from '../../../store/base/digest.ts';
import { nothingKnown } from '../../support/plan-facts.ts';
import { VirtualTime } from './virtual-time.ts';

/** One command. It needs only steps that come before it. */
export interface SimulatedStep {
  /** By their places in the list. */
  readonly needs: readonly number[];
  /** How long a worker takes. */
  readonly ms: number;
  readonly outputBytes: number;
}

export interface Cluster {
  readonly workers: number;
  /** Processor time of this machine for a command that is run elsewhere: one thread does all of them. */
  readonly ourMs: number;
  /** How many commands this machine does itself at once; none when not given. Outputs stay where they are made, until a command needs them. */
  readonly hereSlots?: number;
}

export interface Simulation {
  readonly makespanMs: number;
  /** The longest way through the graph: no cluster is faster. */
  readonly criticalPathMs: number;
  /** All commands one after another. */
  readonly workMs: number;
  /** What this machine takes for all of them, one after another. */
  readonly ourWorkMs: number;
  /** To the server, by this machine. */
  readonly requests: number;
  /** Commands that this machine did itself. */
  readonly doneHere: number;
  /** Outputs that went to workers, or came from them, for a command. */
  readonly movedBytes: number;
  /** Outputs that workers write, and inputs that they read, when none keeps anything. */
  readonly writtenBytes: number;
  readonly readBytes: number;
}

/** FindMissingBlobs; BatchUpdateBlobs with action, command and folders; Execute; BatchReadBlobs of its outputs' folders. */
const requestsForStep = 4;

const there: PoolName = 'run:simulated';
const here: PoolName = 'run:here';

/** Builds all of them, the last of which needs all that nothing else needs. */
export async function simulate(
  graph: readonly SimulatedStep[],
  { workers, ourMs, hereSlots = 0 }: Cluster,
): Promise<Simulation> {
  const steps = stepsFor(graph);
  const byId = new Map(steps.map((step) => [step.id, step]));
  const placeOf = new Map(steps.map((step, at) => [step.id, at]));
  const last = steps.at(-1)!;
  const facts: PlanFacts = {
    ...nothingKnown,
    duration: (lineage) => graph[Number(lineage.slice(0, lineage.indexOf('@')))]!.ms,
  };
  const time = new VirtualTime();
  const places: (PoolName | undefined)[] = graph.map(() => undefined);
  const bytesTo = (pool: PoolName, at: number): number =>
    sum(graph[at]!.needs.filter((need) => places[need] !== pool).map((need) => graph[need]!.outputBytes));
  const takesMs = (pool: PoolName, at: number): number =>
    expectedMs(
      { durationMs: graph[at]!.ms, cpuMs: undefined },
      { cores: 1, movedBytes: bytesTo(pool, at), pace: usualPace },
    );
  let ourNextMs = 0;
  let doneHere = 0;
  let movedBytes = 0;
  const end = runPlan(makePlan([last.id], { steps: (id) => byId.get(id)!, facts }), {
    slots: new Slots(
      new Map([
        [there, workers],
        [here, hereSlots],
      ]),
      time,
    ),
    poolsFor: () => (hereSlots === 0 ? [there] : [there, here]),
    takesMs: ({ step }) => {
      const at = placeOf.get(step.id)!;
      return (pool) => takesMs(pool, at) + (pool === there ? ourMs : 0);
    },
    keepGoing: false,
    signal: new AbortController().signal,
    lookup: () => undefined,
    sandbox: undefined,
    realised: () => undefined,
    producers: () => new Set(),
    replan: (lost) => makePlan([...lost], { steps: (id) => byId.get(id)!, facts, rebuild: lost }),
    perform: async ({ step }, slot) => {
      const { pool } = slot;
      const at = placeOf.get(step.id)!;
      const workMs = takesMs(pool, at);
      if (pool === here) doneHere += 1;
      movedBytes += bytesTo(pool, at);
      places[at] = pool;
      if (pool === there) ourNextMs = Math.max(ourNextMs, time.nowMs()) + ourMs;
      await time.until((pool === there ? ourNextMs : time.nowMs()) + workMs);
      slot.workIsDone();
      const digest = digestOf(Buffer.from(String(at)));
      return {
        kind: 'built',
        outputs: { out: { kind: 'tree', digest } },
        durationMs: graph[at]!.ms,
        log: undefined,
      };
    },
    onTurnedAway: () => undefined,
    onFinish: () => undefined,
  });
  await time.run();
  const outcomes = await end;
  const built = [...outcomes.values()].filter(({ kind }) => kind === 'built').length;
  if (built !== graph.length) throw new Error(`of ${graph.length} steps ${built} were built`);
  return {
    makespanMs: time.nowMs(),
    criticalPathMs: criticalPath(graph),
    workMs: sum(graph.map(({ ms }) => ms)),
    ourWorkMs: ourMs * graph.length,
    requests: requestsForStep * (graph.length - doneHere),
    doneHere,
    movedBytes,
    writtenBytes: sum(graph.map(({ outputBytes }) => outputBytes)),
    readBytes: sum(graph.flatMap(({ needs }) => needs.map((need) => graph[need]!.outputBytes))),
  };
}

/** What the makespan of any schedule is at least. */
export function leastMs({ criticalPathMs, workMs }: Simulation, { workers }: Cluster): number {
  return Math.max(criticalPathMs, workMs / workers);
}

function stepsFor(graph: readonly SimulatedStep[]): Step[] {
  const steps: Step[] = [];
  for (const [at, { needs }] of graph.entries()) {
    const inputs = Object.fromEntries(needs.map((need) => [`/in/${need}`, steps[need]!.derivation]));
    const derivation = run({ name: String(at), layers: [], inputs, argv: ['/bin/true'] });
    const ids = inputsOf(derivation).map((input) => input.derivation.name as DerivationId);
    steps.push({
      id: String(at) as DerivationId,
      derivation,
      inputIds: ids,
      lineage: stepLabel(derivation) as Lineage,
    });
  }
  return steps;
}

function criticalPath(graph: readonly SimulatedStep[]): number {
  const ends: number[] = [];
  for (const { needs, ms } of graph)
    ends.push(ms + needs.reduce((most, need) => Math.max(most, ends[need]!), 0));
  return ends.reduce((most, end) => Math.max(most, end), 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
