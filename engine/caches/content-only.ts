// A server as a place where content may be had, and nothing else: what is said there of actions or derivations is not asked for, and
// nothing is brought there.

import { bug } from '../../store/base/errors.ts';
import type { Cache } from '../../store/index.ts';

export function contentOnly(cache: Cache): Cache {
  return {
    name: cache.name,
    records: () => Promise.resolve([]),
    has: (...question) => cache.has(...question),
    read: (...question) => cache.read(...question),
    below: (...question) => cache.below(...question),
    ...(cache.forget && { forget: cache.forget }),
    push: () => bug(`something was to be pushed to ${cache.name}`),
  };
}
