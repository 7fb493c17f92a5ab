// The ids of derivations: each the digest of its record, with inputs named by their ids, inputs first. Goes through
// graphs of any depth without recursion. Knows nothing of configs.

import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { inputsOf, type Derivation, type Input, type Local } from '../model/derivation.ts';
import { derivationRecord, encodeDerivation, type DerivationId } from '../model/encode.ts';
import type { Step } from '../step.ts';
import { PackedBytes } from './packed-bytes.ts';

/** A step whose lineage is for those to say who know its config. */
export type IdentifiedStep = Omit<Step, 'lineage'>;

export interface Identified {
  /** The id of a derivation of the closure. */
  readonly idOf: (derivation: Derivation) => DerivationId;
  /** The closure, inputs before what needs them; equal derivations that were made twice are in it once. */
  readonly steps: ReadonlyMap<DerivationId, IdentifiedStep>;
  /** The canonical record of each, which its id is the digest of, in the order of `steps`. */
  readonly encoded: PackedBytes;
}

/**
 * Identifies the derivations of a closure. `contentOf` says what a local folder holds.
 */
export function identify(closure: Iterable<Derivation>, contentOf: (local: Local) => Digest): Identified {
  const ids = new Map<Derivation, DerivationId>();
  const steps = new Map<DerivationId, IdentifiedStep>();
  const records = new PackedBytes();
  const reference = ({ derivation, output, subpath }: Input) => [ids.get(derivation)!, output, subpath];
  for (const derivation of closure) {
    const content = derivation.kind === 'local' ? contentOf(derivation) : undefined;
    const { id, encoded } = encodeDerivation(derivationRecord(derivation, reference, content));
    ids.set(derivation, id);
    if (steps.has(id)) continue;
    const inputIds = inputsOf(derivation).map((input) => ids.get(input.derivation)!);
    records.push(encoded);
    const step = { id, derivation, inputIds };
    steps.set(id, content === undefined ? step : { ...step, content });
  }
  return { idOf: (derivation) => ids.get(derivation)!, steps, encoded: records };
}

/**
 * Some derivations and all they need, each once, inputs before what needs them.
 * @throws UserError `GRAPH_CYCLE` with the cycle as a path of names; `DERIVATION_INVALID` for a derivation that was not
 * made by the model's functions.
 */
export function closureOf(tops: Iterable<Derivation>): readonly Derivation[] {
  const closure: Derivation[] = [];
  const state = new Map<Derivation, 'entered' | 'listed'>();
  const stack = [...tops].reverse();
  for (let derivation = stack.at(-1); derivation !== undefined; derivation = stack.at(-1)) {
    if (state.has(derivation)) {
      stack.pop();
      if (state.get(derivation) === 'entered') closure.push(derivation);
      state.set(derivation, 'listed');
      continue;
    }
    refuseHandMade(derivation);
    state.set(derivation, 'entered');
    for (const { derivation: needed } of inputsOf(derivation)) {
      const known = state.get(needed);
      if (known === undefined) stack.push(needed);
      else if (known === 'entered') throw cycleError(needed, stack, state);
    }
  }
  return closure;
}

/** The local folders among some derivations. */
export function localsOf(derivations: readonly Derivation[]): Local[] {
  return derivations.filter((derivation) => derivation.kind === 'local');
}

// What was not made by the model's functions was not checked by them.
function refuseHandMade(derivation: Derivation): void {
  if (Object.isFrozen(derivation)) return;
  throw new UserError('DERIVATION_INVALID', `derivation "${derivation.name}" was put together by hand`, {
    hint: 'Make it with run(), compose(), write(), unpack(), fetchUrl() or localFolder(), which check it.',
  });
}

// The entered derivations on the stack, topmost first, lead from the one that closes the cycle back to `closing`. One
// may lie further down a second time, from when it was only noted as an input.
function cycleError(
  closing: Derivation,
  stack: readonly Derivation[],
  state: ReadonlyMap<Derivation, 'entered' | 'listed'>,
): UserError {
  const entered = stack.filter((derivation) => state.get(derivation) === 'entered');
  const path = [...new Set(entered.reverse())];
  const cycle = [closing, ...path.slice(0, path.indexOf(closing) + 1)];
  const names = cycle.map((derivation) => derivation.name).join(' → ');
  return new UserError('GRAPH_CYCLE', `these derivations need each other: ${names}`, {
    hint: 'Each arrow is an input. Take one of them away, or narrow it to another derivation.',
  });
}
