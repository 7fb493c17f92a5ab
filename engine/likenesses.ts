// Which files that are wanted from elsewhere are likely to have been changed from files that are here: those at the same place in what
// the same step gave last. Reads Merkle nodes, and bytes when it is asked for them.

import { createReadStream } from 'node:fs';
import { digestSize, type Digest } from '../store/base/digest.ts';
import type { Directory, Likenesses, Node, Store } from '../store/index.ts';
import type { Outputs } from './events.ts';

/** What a step gave last, and what it is to give now. */
export interface Succession {
  readonly former: Outputs;
  readonly outputs: Outputs;
}

/** Nobody takes apart what is smaller. */
const leastBytes = 1 << 20;

/** @param directoryOf of what is wanted, as far as it is known */
export function likenessesIn(
  successions: readonly Succession[],
  store: Pick<Store, 'blobs' | 'trees'>,
  directoryOf: (digest: Digest) => Directory | undefined,
): Likenesses {
  // Not every place that is asked takes files apart.
  let formers: ReadonlyMap<Digest, Digest> | undefined;
  return {
    likeTo: (digest) => {
      formers ??= formersIn(successions, store, directoryOf);
      const former = formers.get(digest);
      return former === undefined ? [] : [former];
    },
    range: async function* (digest, from, to) {
      if (from >= to) return;
      const path = await store.blobs.unaltered(digest);
      yield* createReadStream(path, {
        start: from,
        end: to - 1,
        highWaterMark: 256 << 10,
      }) as AsyncIterable<Uint8Array>;
    },
  };
}

/** By what is wanted: what it is likely to have been changed from. */
function formersIn(
  successions: readonly Succession[],
  store: Pick<Store, 'blobs' | 'trees'>,
  directoryOf: (digest: Digest) => Directory | undefined,
): ReadonlyMap<Digest, Digest> {
  const formers = new Map<Digest, Digest>();
  const pending = successions.flatMap(({ former, outputs }) =>
    pairs(new Map(Object.entries(former)), Object.entries(outputs)),
  );
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [former, node] = pair;
    if (former.kind === 'symlink' || node.kind === 'symlink' || former.digest === node.digest) continue;
    if (former.kind === 'tree' && node.kind === 'tree') {
      const [before, now] = [store.trees.get(former.digest), directoryOf(node.digest)];
      if (before !== undefined && now !== undefined) pending.push(...pairs(before, now));
    } else if (former.kind === 'blob' && node.kind === 'blob' && digestSize(node.digest) >= leastBytes)
      if (store.blobs.has(former.digest)) formers.set(node.digest, former.digest);
  }
  return formers;
}

/** Nodes of one name. */
function pairs(
  former: ReadonlyMap<string, Node>,
  now: Iterable<readonly [string, Node]>,
): (readonly [Node, Node])[] {
  return [...now].flatMap(([name, node]) => {
    const before = former.get(name);
    return before === undefined ? [] : [[before, node] as const];
  });
}
