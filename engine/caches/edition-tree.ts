// What an edition is made from, as a tree that a cache can keep: the description of each step by its own digest, which is the
// step's id, and the directories of local folders without their files. Reading believes nothing: each part is compared with its
// digest, and decoded strictly. Knows no name and no key.

import { encodeCbor } from '../../store/base/cbor.ts';
import { digestHash, digestOf, digestSize, type Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { valueIn } from '../../store/caches/index.ts';
import {
  decodeDirectory,
  emptyTree,
  encodeDirectory,
  type Cache,
  type Directory,
  type Node,
  type Store,
  type TreeNode,
} from '../../store/index.ts';
import { decodeDerivation } from '../model/decode.ts';
import type { DerivationId, RecordValue } from '../model/encode.ts';
import { referencesIn, stepRecord } from '../plan/explain.ts';
import type { Step } from '../step.ts';

/** More than this of directories is left out: which files of a folder changed is then not told, only that some did. */
const mostDirectoryBytes = 4 * 1024 * 1024;
/** What a cache may make this machine hold in memory. */
const mostEditionBytes = 256 * 1024 * 1024;

/** What of a store is asked. */
export interface Describing {
  readonly records: Pick<Store['records'], 'description'>;
  readonly trees: Pick<Store['trees'], 'get'>;
}

/** A tree, and all of its parts. */
export interface EditionTree {
  readonly top: TreeNode;
  readonly directories: ReadonlyMap<Digest, Directory>;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** What is known of an edition of somebody else. */
export interface Edited {
  readonly descriptions: ReadonlyMap<DerivationId, RecordValue>;
  /** Of local folders, as far as they were sent along. */
  readonly directories: ReadonlyMap<Digest, Directory>;
}

/** Describes steps: all of a closure. What was `encoded` before is not encoded again. */
export function editionTree(
  closure: Iterable<Step>,
  { records, trees }: Describing,
  encoded: Map<DerivationId, Uint8Array>,
): EditionTree {
  const blobs = new Map<Digest, Uint8Array>();
  const directories = new Map<Digest, Directory>();
  const sources = new Map<Digest, Uint8Array>();
  const steps = new Map<string, Node>();
  for (const step of closure) {
    const bytes = encoded.get(step.id) ?? encodeCbor(records.description(step.id) ?? stepRecord(step));
    encoded.set(step.id, bytes);
    steps.set(...blobEntry(step.id));
    blobs.set(step.id, bytes);
    if (step.content !== undefined) addDirectories(step.content, { trees, sources });
  }
  for (const [digest, bytes] of sources) blobs.set(digest, bytes);
  const add = (directory: Directory): TreeNode => {
    const digest = digestOf(encodeDirectory(directory));
    directories.set(digest, directory);
    return { kind: 'tree', digest };
  };
  const parts: [string, Node][] = [['steps', add(steps)]];
  if (sources.size > 0) parts.push(['sources', add(new Map([...sources.keys()].map(blobEntry)))]);
  return { top: add(new Map(parts)), directories, blobs };
}

// All directories below a folder's tree, or none of them.
function addDirectories(
  top: Digest,
  {
    trees,
    sources,
  }: { readonly trees: Pick<Store['trees'], 'get'>; readonly sources: Map<Digest, Uint8Array> },
): void {
  const found = new Map<Digest, Uint8Array>();
  const pending = [top];
  let sizeBytes = [...sources.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  for (const digest of pending) {
    if (digest === emptyTree.digest || sources.has(digest) || found.has(digest)) continue;
    sizeBytes += digestSize(digest);
    const directory = trees.get(digest);
    if (directory === undefined || sizeBytes > mostDirectoryBytes) return;
    found.set(digest, encodeDirectory(directory));
    for (const node of directory.values()) if (node.kind === 'tree') pending.push(node.digest);
  }
  for (const [digest, bytes] of found) sources.set(digest, bytes);
}

function blobEntry(digest: Digest): [string, Node] {
  return [digestHash(digest), { kind: 'blob', digest, executable: false }];
}

/**
 * Reads the tree that describes the steps of a derivation. Undefined when not all of it is there, or it is something else.
 * @throws when the cache cannot be asked
 */
export async function readEditionTree(
  { derivation, descriptions: top }: { readonly derivation: Digest; readonly descriptions: Digest },
  cache: Cache,
  signal: AbortSignal,
): Promise<Edited | undefined> {
  const reading = new Reading(cache, top, signal);
  try {
    const parts = decodeDirectory(await reading.one(top));
    const [steps, sources] = [
      await namesIn(parts.get('steps'), reading),
      await namesIn(parts.get('sources'), reading),
    ];
    const all = await reading.all(new Set([...steps, ...sources]));
    const descriptions = new Map(
      steps.map((digest) => [digest as DerivationId, descriptionIn(all.get(digest)!)]),
    );
    if (!isWhole(derivation as DerivationId, descriptions)) return undefined;
    return {
      descriptions,
      directories: new Map(sources.map((digest) => [digest, decodeDirectory(all.get(digest)!)])),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof NoEdition || (error instanceof UserError && error.code === 'STORE_CORRUPT'))
      return undefined;
    throw error;
  }
}

/** It is not there, or is none. */
class NoEdition extends Error {}

async function namesIn(node: Node | undefined, reading: Reading): Promise<Digest[]> {
  if (node === undefined) return [];
  if (node.kind !== 'tree') throw new NoEdition();
  if (node.digest === emptyTree.digest) return [];
  const nodes = [...decodeDirectory(await reading.one(node.digest)).values()];
  return nodes.map((each) => {
    if (each.kind !== 'blob') throw new NoEdition();
    return each.digest;
  });
}

// What a description says has the form that this version of cairn knows, down to every field.
function descriptionIn(bytes: Uint8Array): RecordValue {
  const value = valueIn(bytes);
  if (value === undefined) throw new NoEdition();
  decodeDerivation(value, () => {
    throw new NoEdition();
  });
  return value as RecordValue;
}

// Nothing that it is made from is missing.
function isWhole(top: DerivationId, descriptions: ReadonlyMap<DerivationId, RecordValue>): boolean {
  const pending = new Set([top]);
  for (const id of pending) {
    const description = descriptions.get(id);
    if (description === undefined) return false;
    for (const input of referencesIn(description)) pending.add(input);
  }
  return true;
}

class Reading {
  readonly #cache: Cache;
  readonly #tops: ReadonlySet<Digest>;
  readonly #signal: AbortSignal;
  #sizeBytes = 0;

  constructor(cache: Cache, top: Digest, signal: AbortSignal) {
    [this.#cache, this.#tops, this.#signal] = [cache, new Set([top]), signal];
  }

  async one(digest: Digest): Promise<Uint8Array> {
    return (await this.all(new Set([digest]))).get(digest)!;
  }

  /** All of these, each what its digest says. */
  async all(digests: ReadonlySet<Digest>): Promise<ReadonlyMap<Digest, Uint8Array>> {
    for (const digest of digests) this.#sizeBytes += digestSize(digest);
    if (this.#sizeBytes > mostEditionBytes) throw new NoEdition();
    const has = await this.#cache.has(digests, this.#tops, this.#signal);
    if ([...digests].some((digest) => !has.has(digest))) throw new NoEdition();
    const found = new Map<Digest, Uint8Array>();
    await this.#cache.read(
      digests,
      async (digest, chunks) => {
        const parts: Uint8Array[] = [];
        let sizeBytes = 0;
        for await (const chunk of chunks) {
          sizeBytes += chunk.byteLength;
          if (sizeBytes > digestSize(digest)) throw new NoEdition();
          parts.push(chunk);
        }
        const bytes = Buffer.concat(parts);
        if (digestOf(bytes) === digest) found.set(digest, bytes);
      },
      this.#signal,
    );
    if (found.size < digests.size) throw new NoEdition();
    return found;
  }
}
