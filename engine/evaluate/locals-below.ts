// Which local folders each step is made from. Pure.

import type { DerivationId } from '../model/encode.ts';
import type { IdentifiedStep } from './identify.ts';

/**
 * Of each step that is made from local folders, which; the folders' own steps among them, each made from itself.
 * @param steps inputs before what needs them, as the result is
 */
export function localsBelow(
  steps: ReadonlyMap<DerivationId, IdentifiedStep>,
): ReadonlyMap<DerivationId, ReadonlySet<DerivationId>> {
  const below = new Map<DerivationId, ReadonlySet<DerivationId>>();
  for (const { id, derivation, inputIds } of steps.values()) {
    const found =
      derivation.kind === 'local' ? new Set([id]) : union(inputIds.map((input) => below.get(input)));
    if (found !== undefined) below.set(id, found);
  }
  return below;
}

// Most steps are made from the same few: one set serves them all.
function union(
  sets: readonly (ReadonlySet<DerivationId> | undefined)[],
): ReadonlySet<DerivationId> | undefined {
  let all: ReadonlySet<DerivationId> | undefined;
  for (const set of sets) {
    if (set === undefined || set === all) continue;
    if (all === undefined) all = set;
    else if ([...set].some((id) => !all!.has(id))) all = new Set([...all, ...set]);
  }
  return all;
}
