// Which lineage each step of a config belongs to: the config, the step's own name, and, where several steps of the config
// share that name, the way from an output to it. Pure.

import { hash } from 'node:crypto';
import type { DerivationId } from '../model/encode.ts';
import { stepLabel, type Lineage, type Step } from '../step.ts';

/** An output of a config, as a person names it: `rpi@aarch64-linux`. */
export interface NamedTop {
  readonly key: string;
  readonly id: DerivationId;
}

type Unplaced = Omit<Step, 'lineage'>;

/** How lineages of a config begin: what another config on the same store builds under the same names is not theirs. */
export function lineagePrefix(configPath: string): string {
  return hash('sha256', configPath, 'hex').slice(0, 16);
}

/** The lineage of a step whose name no other step of its config has. */
export function plainLineage(prefix: string, step: Unplaced): Lineage {
  return `${prefix} ${stepLabel(step.derivation)}` as Lineage;
}

/**
 * The lineages of those steps that share their name with another one. Ways are made of names, not of positions, so that
 * an input more, or an output more, leaves the other steps theirs.
 */
export function sharedLineages(
  prefix: string,
  steps: ReadonlyMap<DerivationId, Unplaced>,
  tops: readonly NamedTop[],
): ReadonlyMap<DerivationId, Lineage> {
  const counts = new Map<string, number>();
  for (const { derivation } of steps.values()) {
    const label = stepLabel(derivation);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const lineages = new Map<DerivationId, Lineage>();
  if (counts.size === steps.size) return lineages;
  for (const [id, way] of waysTo(steps, tops)) {
    const step = steps.get(id)!;
    if (counts.get(stepLabel(step.derivation))! > 1)
      lineages.set(id, `${plainLineage(prefix, step)} ${way}` as Lineage);
  }
  return lineages;
}

// The shortest way to each step, first output first, as a hash: they may be as long as the graph is deep.
function waysTo(
  steps: ReadonlyMap<DerivationId, Unplaced>,
  tops: readonly NamedTop[],
): ReadonlyMap<DerivationId, string> {
  const ways = new Map<DerivationId, string>();
  for (const { key, id } of tops) if (!ways.has(id)) ways.set(id, next('', key));
  // The map is walked while it grows.
  for (const [id, way] of ways) {
    const seen = new Map<string, number>();
    for (const input of new Set(steps.get(id)!.inputIds)) {
      const label = stepLabel(steps.get(input)!.derivation);
      const before = seen.get(label) ?? 0;
      seen.set(label, before + 1);
      if (!ways.has(input)) ways.set(input, next(way, `${label} ${before}`));
    }
  }
  return ways;
}

function next(way: string, part: string): string {
  return hash('sha256', `${way}/${part}`, 'hex').slice(0, 16);
}
