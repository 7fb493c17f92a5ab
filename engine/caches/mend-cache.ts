// Brings what a cache has lost, and this store still has, there again.

import type { Cache, CacheReport, Pushed, PushedOutput, Store } from '../../store/index.ts';
import { absentIn } from '../lost-content.ts';
import { readerOf } from './push-steps.ts';

export interface Mended extends Pushed {
  /** Outputs that are whole there again. */
  readonly outputs: number;
  /** Files with damage of which not all can be had here; nothing leads to them any more. */
  readonly left: readonly string[];
}

/** @throws UserError `CACHE_FAILED` */
export async function mendCache(
  report: CacheReport,
  { cache, store, signal }: { readonly cache: Cache; readonly store: Store; readonly signal: AbortSignal },
): Promise<Mended> {
  const damages = report.damages.filter((damage) => damage.kind === 'content');
  const tops = new Map(damages.flatMap(({ outputs }) => outputs).map((top) => [top.digest, top]));
  await store.use(tops.keys());
  const whole = new Map([...tops].filter(([, top]) => absentIn([{ out: top }], store).size === 0));
  const outputs = [...whole.values()].map((top): PushedOutput => ({ top, name: `mended ${top.digest}` }));
  const pushed = await cache.upkeep!.mend(report, { outputs, from: readerOf(store) }, signal);
  const left = damages.filter(
    (damage) => damage.outputs.length === 0 || damage.outputs.some(({ digest }) => !whole.has(digest)),
  );
  return { ...pushed, outputs: outputs.length, left: left.map(({ name }) => name) };
}
