// Taking what others have made in place of making it: content comes whole, or the step is done here. Knows no order and no plan.

import { type Claim, type Directory, type RecordWriter, type Store } from '../store/index.ts';
import type { Digest } from '../store/base/digest.ts';
import { filesSize } from './content-below.ts';
import type { ContentElsewhere } from './content-elsewhere.ts';
import type { FoundClaim } from './content-source.ts';
import type { Emit, Outcome, Outputs } from './events.ts';
import type { ActionId, DerivationId } from './model/encode.ts';
import type { PlanFacts } from './plan/facts.ts';
import type { ResolvedStep } from './plan/resolve.ts';
import { stepRef, type Step } from './step.ts';

export interface SubstitutionOptions {
  readonly store: Store;
  readonly elsewhere: ContentElsewhere;
  readonly facts: PlanFacts;
  readonly emit: Emit;
}

export interface Wish {
  readonly step: Step;
  /** The action it came to, where nobody has made this very derivation, but somebody that action. */
  readonly cutOff?: ActionId | undefined;
}

/** A step whose outputs are known, and may be had. */
interface Known {
  readonly step: Step;
  readonly outputs: Outputs;
  /** Nothing, where this store's own records say what it gave, and content was lost. */
  readonly found: FoundClaim | undefined;
}

export class Substitution {
  readonly #options: SubstitutionOptions;

  constructor(options: SubstitutionOptions) {
    this.#options = options;
  }

  /** What others say of a step that this store does not know, unless its action is known to have given something else here. */
  foundMemo(id: DerivationId): FoundClaim | undefined {
    const { store, elsewhere, facts } = this.#options;
    if (store.records.memo(id) !== undefined) return undefined;
    const found = elsewhere.memo(id);
    return found !== undefined && facts.memo(id)?.outputs === found.memo.outputs ? found.found : undefined;
  }

  /** Takes what is known of these: all together, or else each by itself. Those of which not all comes are not among it. */
  async take(wishes: readonly Wish[]): Promise<ReadonlyMap<DerivationId, Outcome>> {
    const { emit } = this.#options;
    const known = wishes.flatMap((wish) => this.#knownOf(wish));
    const started = performance.now();
    for (const { step } of known)
      emit({ type: 'step-started', step: stepRef(step), expectedMs: undefined, place: undefined });
    const hasAllCome = known.length > 0 && (await this.#bring(known));
    const outcomes = new Map<DerivationId, Outcome>();
    for (const one of known) {
      const hasCome = hasAllCome || (known.length > 1 && (await this.#bring([one])));
      const outcome = hasCome ? takenOutcome(one, performance.now() - started) : undefined;
      if (outcome !== undefined) outcomes.set(one.step.id, outcome);
      const end = outcome ?? { kind: 'cancelled' as const };
      emit({ type: 'step-finished', step: stepRef(one.step), outcome: end, place: undefined });
    }
    return outcomes;
  }

  /**
   * Takes what others have made of the very same action: early cutoff across machines. The caller tells of it. Undefined when
   * nobody has, or not all of it comes. What its inputs are made from is asked for in the same question: where they are something
   * else elsewhere, that is why nobody has it.
   */
  async takeAction({ step, action }: ResolvedStep): Promise<Outcome | undefined> {
    const { elsewhere, facts } = this.#options;
    elsewhere.claim(action);
    elsewhere.wonderAbout(step.inputIds.flatMap((id) => this.#actionMadeHere(id)));
    await elsewhere.learn();
    const found = elsewhere.claim(action);
    if (found === undefined) return undefined;
    const { outputs } = found.claim;
    facts.presence(outputs);
    await elsewhere.learn();
    if (facts.presence(outputs) === 'lost') return undefined;
    const started = performance.now();
    const known = { step, outputs, found };
    return (await this.#bring([known])) ? takenOutcome(known, performance.now() - started) : undefined;
  }

  // Of what is taken from others, somebody has said the same.
  #actionMadeHere(id: DerivationId): ActionId[] {
    const { records } = this.#options.store;
    const action = records.memo(id)?.action;
    const facts = action && records.realisation(action)?.facts;
    return action === undefined || facts === undefined || facts.signers !== undefined
      ? []
      : [action as ActionId];
  }

  #knownOf({ step, cutOff }: Wish): Known[] {
    const { elsewhere } = this.#options;
    const found = this.foundMemo(step.id) ?? (cutOff && elsewhere.claim(cutOff));
    const outputs = found?.claim.outputs ?? this.#options.facts.memo(step.id)?.outputs;
    return outputs === undefined ? [] : [{ step, outputs, found }];
  }

  #formerOutputs({ lineage }: Step): Outputs | undefined {
    const { records } = this.#options.store;
    const last = records.lineage(lineage);
    return last && records.realisation(last.action)?.claim.outputs;
  }

  #bring(known: readonly Known[]): Promise<boolean> {
    const { elsewhere, emit } = this.#options;
    const first = stepRef(known[0]!.step);
    return elsewhere.bring({
      outputs: known.map(({ outputs }) => outputs),
      successions: known.flatMap(({ step, outputs }) => {
        const former = this.#formerOutputs(step);
        return former === undefined ? [] : [{ former, outputs }];
      }),
      record: (records, directoryOf) => {
        for (const { step, found } of known)
          if (found !== undefined) record(records, step, { found, directoryOf });
      },
      onProgress: (doneBytes) =>
        emit({ type: 'step-progress', step: first, doneBytes, totalBytes: undefined }),
    });
  }
}

function takenOutcome({ outputs, found }: Known, durationMs: number): Outcome {
  return { kind: 'substituted', outputs, durationMs, signers: found?.signers ?? [] };
}

interface Finding {
  readonly found: FoundClaim;
  readonly directoryOf: (digest: Digest) => Directory | undefined;
}

function record(
  records: RecordWriter,
  { id, derivation, lineage }: Step,
  { found, directoryOf }: Finding,
): void {
  const { claim, signers } = found;
  const { action, outputs }: Claim = claim;
  records.putRealisation({
    claim,
    facts: {
      name: derivation.name,
      builder: signers.join(', '),
      durationMs: 0,
      cpuMs: undefined,
      peakMemoryBytes: undefined,
      sizeBytes: filesSize(Object.values(outputs), directoryOf),
      builtAtMs: Date.now(),
      log: undefined,
      signers,
    },
  });
  records.putMemo({ derivation: id, action, outputs }, found.records);
  records.putLineage(lineage, { derivation: id, action });
}
