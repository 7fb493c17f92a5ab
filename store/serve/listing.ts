// What is below an output that is held, in the order and the packs in which it is served. Packs are smaller than those that are
// pushed: of a new version of a tree, whoever has the former one takes few bytes in vain.

import { setImmediate } from 'node:timers/promises';
import { digestSize, type Digest } from '../base/digest.ts';
import { groupedForPacks, largeBytes } from '../caches/pack.ts';
import type { Store } from '../store.ts';
import { emptyTree, sortedNames } from '../trees/tree.ts';
import { topDigits, type Top } from './holds.ts';

export interface Listing {
  /** By name: where a pack begins in it is a part of the hash of the output. */
  readonly packs: ReadonlyMap<string, readonly Digest[]>;
  readonly alone: readonly Digest[];
  readonly directories: ReadonlySet<Digest>;
}

const packBytes = 2 * 1024 * 1024;
/** Others get a turn after so many files were looked for. */
const filesATurn = 500;

/** All that is below; undefined when some of it is not there. */
export async function listContent(
  hash: string,
  tops: readonly Top[],
  store: Pick<Store, 'blobs' | 'trees'>,
): Promise<Listing | undefined> {
  const directories = new Set<Digest>();
  const files = new Set<Digest>();
  const pending: Top[] = [...tops];
  // It grows while it is walked: what leads to others comes first.
  for (const node of pending) {
    if (node.kind === 'blob') files.add(node.digest);
    if (node.kind === 'blob' || node.digest === emptyTree.digest || directories.has(node.digest)) continue;
    directories.add(node.digest);
    const directory = store.trees.get(node.digest);
    if (directory === undefined) return undefined;
    for (const name of sortedNames(directory)) {
      const child = directory.get(name)!;
      if (child.kind !== 'symlink') pending.push(child);
    }
  }
  for (const [at, digest] of [...files].entries()) {
    if (!store.blobs.has(digest)) return undefined;
    if (at % filesATurn === filesATurn - 1) await setImmediate();
  }
  return inPacks(hash, directories, files);
}

/** The hash of the output, as much as there is of it, that a pack's name begins with. */
export function topOfPack(name: string): string {
  return name.slice(0, topDigits);
}

function inPacks(hash: string, directories: ReadonlySet<Digest>, files: ReadonlySet<Digest>): Listing {
  const isLarge = (digest: Digest): boolean => digestSize(digest) >= largeBytes;
  const small = [directories, files].map((all) => [...all].filter((digest) => !isLarge(digest)));
  const groups = small.flatMap((all) => [...groupedForPacks(all, packBytes)]);
  const packs = new Map(groups.map((group, at) => [packName(hash, at), group]));
  const alone = [...directories, ...files].filter(isLarge);
  return { packs, alone, directories };
}

function packName(hash: string, at: number): string {
  return topOfPack(hash) + at.toString(16).padStart(64 - topDigits, '0');
}
