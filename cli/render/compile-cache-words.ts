// What came of a compile cache, for people.

import type { CompileCacheCounts } from '../../engine/index.ts';
import { formatCount } from './units.ts';

export function compileCacheWords({ hits, misses }: CompileCacheCounts): string {
  return `compile cache: ${formatCount(hits, 'hit')}, ${formatCount(misses, 'miss', 'misses')}`;
}
