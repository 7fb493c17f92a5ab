// Where others whose keys are trusted say that an action gave something else than it gave here: a step that is not reproducible. What
// this machine made counts here; the difference is told file by file, by their directories alone.

import { digestOf, type Digest } from '../../store/base/digest.ts';
import { decodeSignedRecord, weigh, type Trust } from '../../store/caches/index.ts';
import {
  decodeDirectory,
  emptyTree,
  sameNode,
  type Cache,
  type Claim,
  type Directory,
  type Node,
  type Store,
} from '../../store/index.ts';
import { compareNodes, type Difference } from '../compare.ts';
import type { Contradiction } from '../content-source.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step, StepSource } from '../step.ts';

export interface Conflict {
  readonly step: Step;
  readonly output: string;
  readonly here: Node | undefined;
  readonly there: Node | undefined;
  /** Who says so, by the names of their keys. */
  readonly signers: readonly string[];
  /** Undefined when the cache could not give their directories. */
  readonly paths: readonly Difference[] | undefined;
}

export interface OwnClaim {
  readonly step: Step;
  readonly claim: Claim;
}

interface Comparing {
  /** Where their directories are looked for. */
  readonly cache: Pick<Cache, 'has' | 'read'>;
  readonly store: Pick<Store, 'trees'>;
  readonly signal: AbortSignal;
}

/** Asks a cache what it has about these. @throws when it cannot be asked */
export async function conflictsIn(
  own: readonly OwnClaim[],
  { cache, trust, ...context }: Comparing & { readonly cache: Cache; readonly trust: Trust },
): Promise<Conflict[]> {
  if (own.length === 0 || trust.keys.length === 0) return [];
  const actions = new Set(own.map(({ claim }) => claim.action));
  const given = await cache.records(actions, context.signal);
  const heard = given.flatMap((bytes) => decodeSignedRecord(bytes) ?? []);
  const said = [...actions].flatMap((action) => {
    const about = heard.filter(
      ({ statement }) => statement.kind === 'claim' && statement.claim.action === action,
    );
    const versions = weigh(
      about.map((record) => ({ record, takesAnyKey: false })),
      trust,
    );
    return versions.flatMap(({ statement, signers }) =>
      statement.kind === 'claim' ? [{ claim: statement.claim, signers }] : [],
    );
  });
  return conflictsWith(own, said, { cache, ...context });
}

/** What others say of the actions of these, where it differs. Asks for their directories alone, and only where it does. */
export async function conflictsWith(
  own: readonly OwnClaim[],
  said: readonly Contradiction[],
  context: Comparing,
): Promise<Conflict[]> {
  const conflicts: Conflict[] = [];
  for (const { claim: theirs, signers } of said)
    for (const { step, claim } of own) {
      if (claim.action !== theirs.action) continue;
      for (const output of differing(claim.outputs, theirs.outputs)) {
        const pair = { here: claim.outputs[output], there: theirs.outputs[output] };
        conflicts.push({ step, output, ...pair, signers, paths: await pathsOf(pair, context) });
      }
    }
  return conflicts;
}

/** Which of the steps among these, and of all they need, came to these actions; of each action one. */
export function ownClaimsOf(
  wanted: readonly DerivationId[],
  {
    steps,
    store,
    actions,
  }: {
    readonly steps: StepSource;
    readonly store: Pick<Store, 'records'>;
    readonly actions: ReadonlySet<Digest>;
  },
): OwnClaim[] {
  const found = new Map<Digest, OwnClaim>();
  const seen = new Set(wanted);
  // The set is walked while it grows.
  for (const id of seen) {
    const step = steps(id);
    for (const input of step.inputIds) seen.add(input);
    const action = store.records.memo(id)?.action;
    if (action === undefined || !actions.has(action) || found.has(action)) continue;
    const claim = store.records.realisation(action)?.claim;
    if (claim !== undefined) found.set(action, { step, claim });
  }
  return [...found.values()];
}

function differing(a: Claim['outputs'], b: Claim['outputs']): string[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => {
    const [here, there] = [a[name], b[name]];
    return here === undefined || there === undefined || !sameNode(here, there);
  });
}

async function pathsOf(
  { here, there }: { readonly here: Node | undefined; readonly there: Node | undefined },
  { cache, store, signal }: Comparing,
): Promise<readonly Difference[] | undefined> {
  const fetched = new Map<Digest, Directory>();
  const get = (digest: Digest): Directory | undefined => store.trees.get(digest) ?? fetched.get(digest);
  try {
    if (there?.kind === 'tree') await fetchDirectories(there.digest, { cache, get, fetched, signal });
    return compareNodes(here, there, { get });
  } catch {
    // A directory that is gone, or is none: that they differ stands all the same.
    signal.throwIfAborted();
    return undefined;
  }
}

// Level by level; what is here already is not asked for.
async function fetchDirectories(
  top: Digest,
  {
    cache,
    get,
    fetched,
    signal,
  }: {
    readonly cache: Comparing['cache'];
    readonly get: (digest: Digest) => Directory | undefined;
    readonly fetched: Map<Digest, Directory>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (let level = new Set([top]); level.size > 0;) {
    const missing = new Set(
      [...level].filter((digest) => get(digest) === undefined && digest !== emptyTree.digest),
    );
    if (missing.size > 0) {
      await cache.has(missing, new Set([top]), signal);
      await cache.read(
        missing,
        async (digest, bytes) => {
          const parts: Uint8Array[] = [];
          for await (const part of bytes) parts.push(part);
          const all = Buffer.concat(parts);
          if (digestOf(all) === digest) fetched.set(digest, decodeDirectory(all));
        },
        signal,
      );
    }
    // Below what is here nothing can be missing.
    level = new Set(
      [...missing].flatMap((digest) =>
        [...(fetched.get(digest)?.values() ?? [])].flatMap((node) =>
          node.kind === 'tree' ? [node.digest] : [],
        ),
      ),
    );
  }
}
