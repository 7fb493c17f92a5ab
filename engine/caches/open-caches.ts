// From settings to the caches behind one source. Nothing of it is loaded or asked before a build misses something.

import { openCache, type Trust } from '../../store/caches/index.ts';
import { Caches } from './caches.ts';

export interface CacheSettings {
  /** Near to far. */
  readonly caches: readonly ConfiguredCache[];
  readonly trust: Trust;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ConfiguredCache {
  readonly url: string;
  /** What any key has signed counts, as far as it comes from this cache. */
  readonly takesAnyKey: boolean;
  /** What is built here is brought there. */
  readonly isPushedTo: boolean;
}

export function openCaches({ caches, trust, env }: CacheSettings): Caches {
  const opened = caches.map(({ url, takesAnyKey }) => ({ cache: openCache(url, { env }), takesAnyKey }));
  return new Caches(opened, trust);
}
