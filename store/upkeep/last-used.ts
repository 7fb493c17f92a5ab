// What of the garbage was used when. Using a derivation uses all it is made from: it is there to be built from again. Reads
// records only.

import { readCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import { memosOf, realisationsOf, referencesIn } from '../records/reachable.ts';
import type { LiveSet } from './live-set.ts';

/** Something that can be kept or not, with all it is made from; an action is one that no derivation leads to any more. */
export interface Garbage {
  readonly kind: 'derivation' | 'action';
  readonly id: Digest;
  /** In milliseconds since 1970. */
  readonly usedMs: number;
}

/** What is not in `live`, last used first. What comes later is never needed by what comes before. */
export function lastUsedFirst(live: LiveSet, database: Database): Garbage[] {
  const builtMs = new Map<Digest, number>();
  for (const { claim, facts } of realisationsOf(database)) builtMs.set(claim.action, facts.builtAtMs);
  const all: Garbage[] = [];
  const orphans = new Map(builtMs);
  for (const [id, { action }] of memosOf(database)) {
    orphans.delete(action);
    const usedMs = Math.max(lastUse(id, database), builtMs.get(action) ?? 0);
    if (!live.derivations.has(id)) all.push({ kind: 'derivation', id, usedMs });
  }
  for (const [id, usedMs] of orphans) if (!live.actions.has(id)) all.push({ kind: 'action', id, usedMs });
  all.sort((a, b) => b.usedMs - a.usedMs);
  return withoutInputs(all, live, database);
}

// What something before needs is kept with that.
function withoutInputs(all: readonly Garbage[], live: LiveSet, database: Database): Garbage[] {
  const seen = new Set(live.derivations);
  return all.filter(({ kind, id }) => {
    if (kind === 'action') return true;
    if (seen.has(id)) return false;
    const pending = [id];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const description = database.table('descriptions').get(next);
      if (description !== undefined)
        for (const { id: needed } of referencesIn(readCbor(description))) pending.push(needed);
    }
    return true;
  });
}

function lastUse(id: Digest, database: Database): number {
  const bytes = database.table('last-uses').get(id);
  return bytes === undefined ? 0 : (readCbor(bytes) as number);
}
