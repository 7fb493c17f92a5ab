// Brings what a cache has lost, and this store still has, there again; what stayed with workers comes here first.

import type { Cache, CacheReport, Node, Pushed, PushedOutput, Store } from '../../store/index.ts';
import { ContentElsewhere } from '../content-elsewhere.ts';
import type { ContentSource } from '../content-source.ts';
import { absentIn, leftIn } from '../lost-content.ts';
import { readerOf } from './push-steps.ts';

export interface MendContext {
  readonly cache: Cache;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** Who has what was left elsewhere: found out when some of it is needed, and nobody when not given. */
  readonly workers?: () => Promise<ContentSource | undefined>;
  readonly onNotice?: (message: string) => void;
}

export interface Mended extends Pushed {
  /** Outputs that are whole there again. */
  readonly outputs: number;
  /** Files with damage of which not all can be had here; nothing leads to them any more. */
  readonly left: readonly string[];
  /** Where some of what they need was left, and was not to be had from. */
  readonly stayedAt: readonly string[];
}

/** @throws UserError `CACHE_FAILED` */
export async function mendCache(report: CacheReport, context: MendContext): Promise<Mended> {
  const { cache, store, signal } = context;
  const damages = report.damages.filter((damage) => damage.kind === 'content');
  const tops = new Map(damages.flatMap(({ outputs }) => outputs).map((top) => [top.digest, top]));
  await store.use(tops.keys());
  const gone = await bringLeft([...tops.values()], context);
  const whole = new Map([...tops].filter(([, top]) => absentIn([{ out: top }], store).size === 0));
  const outputs = [...whole.values()].map((top): PushedOutput => ({ top, name: `mended ${top.digest}` }));
  const pushed = await cache.upkeep!.mend(report, { outputs, from: readerOf(store) }, signal);
  const left = damages.filter(
    (damage) => damage.outputs.length === 0 || damage.outputs.some(({ digest }) => !whole.has(digest)),
  );
  const places = [...gone].flatMap((digest) => store.left.placeOf(digest) ?? []);
  return {
    ...pushed,
    outputs: outputs.length,
    left: left.map(({ name }) => name),
    stayedAt: [...new Set(places)],
  };
}

/** Gives what was not to be had. */
async function bringLeft(
  nodes: readonly Node[],
  { store, signal, workers, onNotice = () => undefined }: MendContext,
): Promise<ReturnType<typeof leftIn>> {
  const left = leftIn(nodes, store);
  const source = left.size === 0 ? undefined : await workers?.();
  if (source === undefined) return left;
  const elsewhere = new ContentElsewhere({ store, source, signal, onNotice });
  await elsewhere.bring({ outputs: nodes.map((out) => ({ out })), only: left });
  return leftIn(nodes, store);
}
