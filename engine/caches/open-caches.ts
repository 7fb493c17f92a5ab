// From settings to the caches behind one source. Nothing of it is loaded or asked before a build misses something.

import { openCache, type Trust } from '../../store/caches/index.ts';
import { Caches } from './caches.ts';
import { contentOnly } from './content-only.ts';

/** As long as for being asked to run something: what is given up too soon costs its steps anew. */
const workersFirstMs = 10_000;

export interface CacheSettings {
  /** Near to far. */
  readonly caches: readonly ConfiguredCache[];
  readonly trust: Trust;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A server of workers, where what they made may have stayed. */
  readonly workers?: string | undefined;
}

export interface ConfiguredCache {
  readonly url: string;
  /** What any key has signed counts, as far as it comes from this cache. */
  readonly takesAnyKey: boolean;
  /** What is built here is brought there. */
  readonly isPushedTo: boolean;
}

export function openCaches({ caches, trust, env, workers }: CacheSettings): Caches {
  const opened = caches.map(({ url, takesAnyKey }) => ({ cache: openCache(url, { env }), takesAnyKey }));
  if (workers === undefined) return new Caches(opened, trust);
  // Asked first: that is one question, and most of what was left with them nobody else has.
  const server = openCache(workers, { env, patience: { firstMs: workersFirstMs } });
  const ofWorkers = { cache: contentOnly(server), takesAnyKey: false };
  return new Caches([ofWorkers, ...opened], trust);
}
