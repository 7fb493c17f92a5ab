// What of a plan will come out as it is known already: what is done on Merkle nodes alone is done in memory, and early cutoff
// looked for behind it. For whoever tells people what a build is going to do; no build goes by it, and nothing is written.

import { UserError } from '../../store/base/errors.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import {
  encodeDirectory,
  lookupIn,
  MissingBlob,
  sameOutputs,
  type Directory,
  type Node,
  type Trees,
} from '../../store/index.ts';
import type { Outputs } from '../events.ts';
import type { DerivationId } from '../model/encode.ts';
import { composeTrees, writeTree, type TreeBatch } from '../perform/compose.ts';
import type { Step } from '../step.ts';
import type { Cause } from './explain.ts';
import type { PlanFacts } from './facts.ts';
import type { Plan } from './planner.ts';
import { resolveStep, type ResolvedStep } from './resolve.ts';

/** What can be told of a step that a plan wants done. */
export interface Foreseen {
  /** What it gives; undefined when only doing it tells. */
  readonly outputs: Outputs | undefined;
  /** True when it has to be done: what it is made from is known, and nobody has done that. */
  readonly isDone: boolean;
}

/** Of each step that the plan wants done. */
export function foresee(
  { toBuild, upToDate }: Plan,
  facts: Pick<PlanFacts, 'claim' | 'presence'>,
  trees: Pick<Trees, 'get'>,
): ReadonlyMap<DerivationId, Foreseen> {
  const batch = new PassingTrees(trees);
  const foreseen = new Map<DerivationId, Foreseen>();
  const outputsOf = (id: DerivationId): Outputs | undefined =>
    (upToDate.get(id) ?? foreseen.get(id))?.outputs;

  const told = (step: Step, isRequested: boolean): Foreseen => {
    if (step.inputIds.some((id) => outputsOf(id) === undefined)) return unknown;
    const resolved = resolveStep(
      step,
      (id) => outputsOf(id)!,
      (top, path) => batch.lookup(top, path),
    );
    const known = isRequested ? undefined : facts.claim(resolved.action)?.outputs;
    if (known !== undefined && facts.presence(known) !== 'lost') return { outputs: known, isDone: false };
    return { outputs: onNodes(resolved, batch), isDone: true };
  };
  for (const { step, isRequested } of toBuild.values())
    foreseen.set(
      step.id,
      orUnknown(() => told(step, isRequested)),
    );
  return foreseen;
}

/**
 * The steps among `causes` that come out as the version which they are compared with: under another id, and with the same content.
 */
export function comingOutAsBefore(
  causes: readonly Cause[],
  { plan, foreseen, facts }: Foresight,
): ReadonlySet<DerivationId> {
  const outputsOf = (id: DerivationId): Outputs | undefined =>
    (plan.upToDate.get(id) ?? foreseen.get(id) ?? facts.memo(id))?.outputs;
  const same = causes.filter(({ step, former }) => {
    const [before, now] = [former && facts.memo(former)?.outputs, outputsOf(step.id)];
    return before !== undefined && now !== undefined && sameOutputs(before, now);
  });
  return new Set(same.map(({ step }) => step.id));
}

export interface Foresight {
  readonly plan: Plan;
  readonly foreseen: ReadonlyMap<DerivationId, Foreseen>;
  readonly facts: Pick<PlanFacts, 'memo'>;
}

const unknown: Foreseen = { outputs: undefined, isDone: false };

// A path that is not there, or parts that conflict: the step's own failure, when it is done. Content that is lost is made again first.
function orUnknown(tell: () => Foreseen): Foreseen {
  try {
    return tell();
  } catch (error) {
    if (error instanceof UserError || error instanceof MissingBlob)
      return { outputs: undefined, isDone: true };
    throw error;
  }
}

function onNodes({ step: { derivation }, nodes }: ResolvedStep, batch: TreeBatch): Outputs | undefined {
  if (derivation.kind === 'compose')
    return { out: composeTrees(derivation, ({ input }) => nodes.get(input)!, batch) };
  return derivation.kind === 'write' ? { out: writeTree(derivation, batch) } : undefined;
}

/** Directories over those of a store, as long as somebody looks at them. */
class PassingTrees implements TreeBatch {
  readonly #made = new Map<Digest, Directory>();
  readonly #trees: Pick<Trees, 'get'>;

  constructor(trees: Pick<Trees, 'get'>) {
    this.#trees = trees;
  }

  addBytes(bytes: Uint8Array): Digest {
    return digestOf(bytes);
  }

  addDirectory(directory: Directory): Digest {
    const digest = digestOf(encodeDirectory(directory));
    this.#made.set(digest, directory);
    return digest;
  }

  directory(digest: Digest): Directory | undefined {
    return this.#made.get(digest) ?? this.#trees.get(digest);
  }

  lookup(top: Node, path: string): Node | undefined {
    return lookupIn(top, path, (digest) => this.directory(digest));
  }
}
