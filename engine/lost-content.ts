// What content that is missing, or was found to be damaged, means: whoever made it has to make it again. The one place that
// decides so, for builds, checks and whatever reads outputs. Reads only Merkle nodes and memos.

import { UserError } from '../store/base/errors.ts';
import type { Digest } from '../store/base/digest.ts';
import { type MissingBlob, type Node, type Store } from '../store/index.ts';
import { contentBelow } from './content-below.ts';
import type { Outcome, Outputs } from './events.ts';
import type { DerivationId } from './model/encode.ts';
import type { StepSource } from './step.ts';

/** A step is done again this often for content that keeps getting lost, before that is taken for a fault of the store. */
const mostRebuilds = 3;

/** How often each step was done again in one build. */
export class Rebuilds {
  readonly #counts = new Map<DerivationId, number>();

  /** Those of `producers` that are worth another try; it counts. */
  take(producers: Iterable<DerivationId>): ReadonlySet<DerivationId> {
    const again = [...producers].filter((id) => (this.#counts.get(id) ?? 0) < mostRebuilds);
    for (const id of again) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    return new Set(again);
  }
}

export interface LostContentContext {
  readonly store: Store;
  readonly steps: StepSource;
  /** What a step gave, made here or elsewhere, as far as that is known. */
  readonly outputsOf: (id: DerivationId) => Outputs | undefined;
}

/** What is not here of all that `outputs` hold: one look at each blob, by name and size. */
export function absentIn(outputs: Iterable<Outputs>, store: Store): Set<Digest> {
  const absent = new Set<Digest>();
  const nodes = [...outputs].flatMap((named) => Object.values(named));
  for (const { kind, digest } of contentBelow(nodes, (tree) => store.trees.get(tree)))
    if (kind === 'tree' || !store.blobs.has(digest)) absent.add(digest);
  return absent;
}

/** The blobs below these that were left elsewhere and are not here. */
export function leftIn(nodes: Iterable<Node>, { left, blobs, trees }: Store): Set<Digest> {
  const found = new Set<Digest>();
  if (!left.any()) return found;
  for (const { kind, digest } of contentBelow(nodes, (tree) => trees.get(tree)))
    if (kind === 'blob' && left.has(digest) && !blobs.has(digest)) found.add(digest);
  return found;
}

/**
 * The steps among `ids` and below them through which any of the content `lost` came into being: the steps that wrote it,
 * and the compositions that carry it (those cost nothing to do again, and would name stale content if a rebuilt step
 * gave something else).
 */
export function producersOf(
  ids: Iterable<DerivationId>,
  lost: ReadonlySet<Digest>,
  { store, steps, outputsOf }: LostContentContext,
): Set<DerivationId> {
  const producers = new Set<DerivationId>();
  const known = new Map<Digest, boolean>();
  const pending = [...ids];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const outputs = outputsOf(id);
    if (producers.has(id) || outputs === undefined) continue;
    if (!Object.values(outputs).some((node) => holdsAny(node, { lost, store, known }))) continue;
    producers.add(id);
    const step = steps(id);
    if (step.derivation.kind === 'compose') pending.push(...step.inputIds);
  }
  return producers;
}

/** The error for content that its producer did not bring back. */
export function lostForGood(missing: MissingBlob, name?: string): UserError {
  const needs = name === undefined ? 'content' : `${name} needs content`;
  return new UserError(
    'STORE_MISSING_BLOB',
    `${needs} ${missing.digest}, which the store has lost and which building it again did not bring back`,
    {
      hint: 'See above why it was not built again. `cairn store verify` shows what is damaged, `cairn store repair` mends it.',
      fault: 'environment',
      cause: missing,
    },
  );
}

/** The same for content that stayed at a place which does not give it, when whoever made it ended otherwise than with it. */
export function goneForGood(missing: MissingBlob, place: string, end: Outcome | undefined): UserError {
  const why = end?.kind === 'failed' ? `: ${end.failure.message}` : '';
  return new UserError(
    'EXECUTOR_FAILED',
    `content ${missing.digest} stayed at ${place}, is not to be had from there, and could not be made again${why}`,
    {
      hint: 'Try again when the server is there, or make it on this machine, without CAIRN_EXECUTOR and with `--executor local`.',
      fault: 'environment',
      cause: missing,
    },
  );
}

interface Search {
  readonly lost: ReadonlySet<Digest>;
  readonly store: Store;
  /** Directories that were looked through, and what was found. */
  readonly known: Map<Digest, boolean>;
}

// True when the node is, or has below it, any of it. A directory that is gone may hold anything.
function holdsAny(node: Node, search: Search): boolean {
  if (node.kind === 'symlink') return false;
  if (search.lost.has(node.digest)) return true;
  if (node.kind === 'blob') return false;
  let holds = search.known.get(node.digest);
  if (holds === undefined) {
    const directory = search.store.trees.get(node.digest);
    holds = directory === undefined || [...directory.values()].some((child) => holdsAny(child, search));
    search.known.set(node.digest, holds);
  }
  return holds;
}
