// What must stay: everything that hangs on some derivations and digests. It only grows, so that it can be found while
// others work, and be brought up to date in a moment when they are made to wait. Reads records and Merkle nodes.

import { readCbor } from '../base/cbor.ts';
import { digestHash, digestSize, type Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import { StoredLeftBlobs } from '../records/left-blobs.ts';
import { addReachable, referencesIn, type Content, type StoredMemo } from '../records/reachable.ts';
import { decodeRealisation } from '../records/realisation-record.ts';
import type { Node } from '../trees/tree.ts';

export class LiveSet {
  readonly #database: Database;
  readonly derivations = new Set<Digest>();
  readonly actions = new Set<Digest>();
  readonly content: Content & { readonly blobs: MeasuredSet };
  /** Of everything that was named, whatever it is: derivations and content look the same. */
  readonly #hashes = new Set<string>();
  /** Directories that were not there when they were looked for: they may have come since. */
  readonly #absent = new Set<Digest>();
  /** Descriptions that were followed already. */
  readonly #followed = new Set<Digest>();
  /** Records that were looked at already, as they were then. */
  readonly #memos = new Map<Digest, Uint8Array>();
  readonly #realisations = new Map<Digest, Uint8Array>();

  constructor(database: Database) {
    this.#database = database;
    const left = new StoredLeftBlobs(database);
    const isHere = left.any() ? (digest: Digest) => !left.has(digest) : () => true;
    this.content = { blobs: new MeasuredSet(isHere), directories: new Set() };
  }

  /** Room that the content takes in files, in bytes. */
  get sizeBytes(): number {
    return this.content.blobs.sizeBytes;
  }

  /** The SHA-256 parts of all digests whose content must stay. */
  hashes(): ReadonlySet<string> {
    const { blobs, directories } = this.content;
    return new Set([...this.#hashes, ...[...blobs, ...directories].map(digestHash)]);
  }

  /** Adds what these lead to, as derivations or as content. */
  add(digests: Iterable<Digest>): void {
    const pending: Digest[] = [];
    for (const digest of digests) {
      this.#hashes.add(digestHash(digest));
      this.#reach([{ kind: 'tree', digest }]);
      pending.push(digest);
    }
    this.#addDerivations(pending);
  }

  /** Adds what an action gave, whichever derivations it came from. */
  addAction(action: Digest): void {
    this.actions.add(action);
    this.#addRealisation(action);
  }

  /** Looks again at the records of everything here: some may have come, or changed. */
  refresh(): void {
    const absent = [...this.#absent];
    this.#absent.clear();
    this.#reach(absent.map((digest) => ({ kind: 'tree', digest })));
    // The sets are walked while they grow.
    for (const id of this.derivations) this.#addDerivations(this.#references(id));
    for (const id of this.derivations) this.#addMemo(id);
    for (const action of this.actions) this.#addRealisation(action);
  }

  #addDerivations(pending: Digest[]): void {
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (this.derivations.has(id)) continue;
      this.derivations.add(id);
      this.#addMemo(id);
      pending.push(...this.#references(id));
    }
  }

  // What a derivation is made from, unless that was asked before.
  #references(id: Digest): Digest[] {
    if (this.#followed.has(id)) return [];
    const bytes = this.#database.table('descriptions').get(id);
    if (bytes === undefined) return [];
    this.#followed.add(id);
    return [...referencesIn(readCbor(bytes))].map(({ id: needed }) => needed);
  }

  #addMemo(id: Digest): void {
    const bytes = changed(this.#memos, id, this.#database.table('memos').get(id));
    if (bytes === undefined) return;
    const { action, outputs } = readCbor(bytes) as unknown as StoredMemo;
    this.addAction(action);
    this.#reach(Object.values(outputs));
  }

  #addRealisation(action: Digest): void {
    const bytes = changed(this.#realisations, action, this.#database.table('realisations').get(action));
    if (bytes === undefined) return;
    const { claim, facts } = decodeRealisation(action, bytes);
    this.#reach(Object.values(claim.outputs));
    if (facts.log !== undefined) this.content.blobs.add(facts.log);
  }

  #reach(nodes: Iterable<Node>): void {
    for (const digest of addReachable(this.content, nodes, this.#database)) {
      this.content.directories.delete(digest);
      this.#absent.add(digest);
    }
  }
}

/** File systems give files whole blocks. */
const blockBytes = 4096;

/** Digests with the room that their content takes in files of its own. */
class MeasuredSet extends Set<Digest> {
  readonly #isHere: (digest: Digest) => boolean;
  sizeBytes = 0;

  constructor(isHere: (digest: Digest) => boolean) {
    super();
    this.#isHere = isHere;
  }

  override add(digest: Digest): this {
    if (!this.has(digest) && this.#isHere(digest)) this.sizeBytes += roomOf(digestSize(digest));
    return super.add(digest);
  }
}

/** The room that a file takes. */
export function roomOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

// The record when it was not seen like this before.
function changed(
  seen: Map<Digest, Uint8Array>,
  key: Digest,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  const before = seen.get(key);
  if (before !== undefined && Buffer.compare(before, bytes) === 0) return undefined;
  // The database's memory is its own.
  const own = new Uint8Array(bytes);
  seen.set(key, own);
  return own;
}
