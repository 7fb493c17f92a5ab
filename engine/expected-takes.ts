// How long a command is expected to take at each executor that may have it, by what the store's records say of the last time, and
// by what would have to be moved. Reads records and Merkle nodes; asks no server.

import type { Digest } from '../store/base/digest.ts';
import { digestSize } from '../store/base/digest.ts';
import type { Node, Store } from '../store/index.ts';
import { contentBelow, totalSize } from './content-below.ts';
import type { ExecutorOffer } from './execute/executor.ts';
import { leftIn } from './lost-content.ts';
import type { ResolvedStep } from './plan/resolve.ts';
import { expectedMs, type Work } from './schedule/earliest-finish.ts';
import type { PoolName } from './schedule/slots.ts';
import { usualMs } from './schedule/usual-duration.ts';
import type { Step } from './step.ts';

/** What expectations are made from. */
export interface ExpectationContext {
  readonly store: Store;
  readonly offerOf: (pool: PoolName) => ExecutorOffer;
  /** True for a step whose files come here as soon as it is done. */
  readonly bringsFiles: (step: Step) => boolean;
}

/** One for all steps of a build: trees that many of them are made from are measured once. */
export class Expectations {
  readonly #context: ExpectationContext;
  /** Bytes below a tree that are here, when it was first measured. */
  readonly #sizes = new Map<Digest, number>();

  constructor(context: ExpectationContext) {
    this.#context = context;
  }

  /** For a request of slots: in milliseconds, by the pool and how many of its slots are free. */
  takesMs({ step, nodes }: ResolvedStep): (pool: PoolName, freeSlots: number) => number {
    const { store, offerOf, bringsFiles } = this.#context;
    const { work, outputBytes } = lastTime(step, store);
    const given = [...nodes.values()];
    let leftBytes: number | undefined;
    return (pool, freeSlots) => {
      const offer = offerOf(pool);
      const movedBytes = offer.isHere
        ? (leftBytes ??= totalSize(leftIn(given, store)))
        : this.#lackedBytes(given, offer) + (bringsFiles(step) ? outputBytes : 0);
      return expectedMs(work, { cores: offer.coresOf(freeSlots), movedBytes, pace: offer.pace });
    };
  }

  // Of what nobody has seen there as much is taken to be lacking as was lacking of such so far.
  #lackedBytes(nodes: readonly Node[], offer: ExecutorOffer): number {
    let sizeBytes = 0;
    for (const node of nodes)
      if (node.kind === 'blob' || (node.kind === 'tree' && !offer.isKnownThere(node.digest)))
        sizeBytes += this.#hereBytes(node);
    return sizeBytes * offer.pace.lackedShare;
  }

  // What stayed at the server need not go there.
  #hereBytes(node: Exclude<Node, { kind: 'symlink' }>): number {
    const known = this.#sizes.get(node.digest);
    if (known !== undefined) return known;
    const { blobs, left, trees } = this.#context.store;
    const hasLeft = left.any();
    let sizeBytes = 0;
    for (const { kind, digest } of contentBelow([node], (tree) => trees.get(tree)))
      if (kind === 'blob' && (!hasLeft || !left.has(digest) || blobs.has(digest)))
        sizeBytes += digestSize(digest);
    this.#sizes.set(node.digest, sizeBytes);
    return sizeBytes;
  }
}

/** A command that was never timed is guessed at, and taken to keep one core busy and to give nothing. */
function lastTime(
  { derivation, lineage }: Step,
  { records }: Store,
): { readonly work: Work; readonly outputBytes: number } {
  const last = records.lineage(lineage);
  const facts = last && records.realisation(last.action)?.facts;
  const durationMs = records.duration(lineage);
  return {
    work: { durationMs: durationMs ?? usualMs(derivation), cpuMs: durationMs && facts?.cpuMs },
    outputBytes: facts?.sizeBytes ?? 0,
  };
}
