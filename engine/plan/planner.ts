// Whether each step must be done, and why. Says nothing of when, and does no I/O: facts come in through an interface.

import { UserError } from '../../store/base/errors.ts';
import { MissingBlob } from '../../store/index.ts';
import type { Presence } from '../content-source.ts';
import type { ForeseenFailure, Outputs, PlannedStep, Reason, StepRef } from '../events.ts';
import type { ActionId, DerivationId } from '../model/encode.ts';
import { stepRef, type Step, type StepSource } from '../step.ts';
import { changesBetween } from './explain.ts';
import type { PlanFacts } from './facts.ts';
import { resolveStep } from './resolve.ts';

export interface PlanOptions {
  readonly steps: StepSource;
  readonly facts: PlanFacts;
  /** Steps to do again even if they are up to date. */
  readonly rebuild?: ReadonlySet<DerivationId>;
  /** What every `run` step needs to be run at all, without being an input of it. */
  readonly sandbox?: DerivationId | undefined;
}

export interface Plan {
  readonly wanted: readonly DerivationId[];
  /** What must be built, inputs before what needs them. */
  readonly toBuild: ReadonlyMap<DerivationId, PlannedBuild>;
  /** Outputs of the steps that are up to date and were looked at. */
  readonly upToDate: ReadonlyMap<DerivationId, UpToDate>;
}

/** What is asked of it is found when it is asked for: comparing descriptions costs more than planning. */
export class PlannedBuild {
  readonly step: Step;
  /** What it is going to fail with, where that is known. */
  readonly failure: ForeseenFailure | undefined;
  readonly #options: PlanOptions;

  constructor(step: Step, failure: ForeseenFailure | undefined, options: PlanOptions) {
    this.step = step;
    this.failure = failure;
    this.#options = options;
  }

  get expectedMs(): number | undefined {
    return this.#options.facts.duration(this.step.lineage);
  }

  /** Whether it is to be done again although it may be up to date. */
  get isRequested(): boolean {
    return this.#options.rebuild?.has(this.step.id) === true;
  }

  get reason(): Reason {
    return this.isRequested ? { kind: 'requested' } : reasonToBuild(this.step, this.#options.facts);
  }
}

export interface UpToDate {
  readonly step: Step;
  readonly outputs: Outputs;
  readonly presence: Exclude<Presence, 'lost'>;
  /** Set when the derivation is new, but its action had been realised: the memo to be written. */
  readonly cutOff: ActionId | undefined;
}

/** Plans everything that `wanted` needs and that is not up to date; what lies below an up-to-date step is not looked at. */
export function makePlan(wanted: readonly DerivationId[], options: PlanOptions): Plan {
  const toBuild = new Map<DerivationId, PlannedBuild>();
  const upToDate = new Map<DerivationId, UpToDate>();
  const isDecided = (id: DerivationId): boolean => upToDate.has(id) || toBuild.has(id);

  const visit = (ids: readonly DerivationId[]): void => {
    // Depth first with a stack of our own: graphs may be deeper than the call stack.
    const stack = [...ids].reverse();
    const entered = new Set<DerivationId>();
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      if (isDecided(id)) {
        stack.pop();
      } else if (entered.delete(id)) {
        stack.pop();
        decide(options.steps(id));
      } else {
        const step = options.steps(id);
        const known = knownOutputs(step, options);
        if (known !== undefined) {
          upToDate.set(id, { step, ...known, cutOff: undefined });
          continue;
        }
        entered.add(id);
        stack.push(...step.inputIds.filter((input) => !isDecided(input)));
      }
    }
  };

  const decide = (step: Step): void => {
    const found = realisedByContent(step, upToDate, options);
    if (found.kind === 'up-to-date') upToDate.set(step.id, found.upToDate);
    else toBuild.set(step.id, new PlannedBuild(step, found.failure, options));
  };

  visit(wanted);
  const needsSandbox = [...toBuild.values()].some(({ step }) => step.derivation.kind === 'run');
  if (needsSandbox && options.sandbox !== undefined) visit([options.sandbox]);
  return { wanted, toBuild, upToDate };
}

/** The plan as events show it: what was looked at, in build order. */
export function plannedSteps(plan: Plan): PlannedStep[] {
  const reused = [...plan.upToDate.values()].map(({ step, presence }): PlannedStep => ({
    step: stepRef(step),
    decision: presence === 'here' ? 'up-to-date' : 'substitute',
    reason: { kind: 'realised' },
    expectedMs: undefined,
    downloadBytes: undefined,
    failure: undefined,
  }));
  return [...reused, ...[...plan.toBuild.values()].map((build) => new ShownBuild(build))];
}

// A plan has a hundred thousand of them, and most are looked at once.
class ShownBuild implements PlannedStep {
  readonly #build: PlannedBuild;

  constructor(build: PlannedBuild) {
    this.#build = build;
  }

  get step(): StepRef {
    return stepRef(this.#build.step);
  }

  get decision(): 'build' {
    return 'build';
  }

  get reason(): Reason {
    return this.#build.reason;
  }

  get expectedMs(): number | undefined {
    return this.#build.expectedMs;
  }

  get downloadBytes(): number | undefined {
    const { derivation } = this.#build.step;
    return derivation.kind === 'fetch' ? derivation.sizeBytes : undefined;
  }

  get failure(): ForeseenFailure | undefined {
    return this.#build.failure;
  }
}

type Known = Pick<UpToDate, 'outputs' | 'presence'>;

function knownOutputs({ id }: Step, options: PlanOptions): Known | undefined {
  return options.rebuild?.has(id) === true ? undefined : known(options.facts.memo(id)?.outputs, options);
}

function known(outputs: Outputs | undefined, { facts }: PlanOptions): Known | undefined {
  if (outputs === undefined) return undefined;
  const presence = facts.presence(outputs);
  return presence === 'lost' ? undefined : { outputs, presence };
}

/** What a step comes to whose derivation is not known to be up to date. */
type Decision =
  | { readonly kind: 'up-to-date'; readonly upToDate: UpToDate }
  | { readonly kind: 'build'; readonly failure: ForeseenFailure | undefined };

const build: Decision = { kind: 'build', failure: undefined };

// A derivation never seen before may still come to an action that is realised already.
function realisedByContent(
  step: Step,
  upToDate: ReadonlyMap<DerivationId, UpToDate>,
  options: PlanOptions,
): Decision {
  const { facts, rebuild } = options;
  if (step.inputIds.some((id) => !upToDate.has(id))) return build;
  const found = actionOf(step, upToDate, facts);
  if (found === undefined) return build;
  if (typeof found === 'object') return { kind: 'build', failure: found };
  if (rebuild?.has(step.id) === true) return build;
  const realised = known(facts.claim(found)?.outputs, options);
  return realised === undefined
    ? build
    : { kind: 'up-to-date', upToDate: { step, ...realised, cutOff: found } };
}

// A path that an input does not have is the step's own failure when it is started: it must not keep what does not depend
// on it from being planned. Content lost on the way to it is made again before the step is.
function actionOf(
  step: Step,
  upToDate: ReadonlyMap<DerivationId, UpToDate>,
  facts: PlanFacts,
): ActionId | ForeseenFailure | undefined {
  try {
    return resolveStep(step, (id) => upToDate.get(id)!.outputs, facts.lookup).action;
  } catch (error) {
    if (error instanceof MissingBlob) return undefined;
    if (!(error instanceof UserError)) throw error;
    const { code, message, hint } = error;
    return { code, message, hint };
  }
}

function reasonToBuild(step: Step, facts: PlanFacts): Reason {
  const last = facts.lineage(step.lineage);
  if (last === undefined) return { kind: 'never-built' };
  if (last.derivation === step.id) return { kind: 'output-missing' };
  return changesBetween(last.derivation as DerivationId, step, facts);
}
