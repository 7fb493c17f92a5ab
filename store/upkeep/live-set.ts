// What must stay: everything that hangs on some derivations and digests. It only grows, so that it can be found while
// others work, and be brought up to date in a moment when they are made to wait. Reads records and Merkle nodes.

import { readCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import {
  addReachable,
  emptyContent,
  referencesIn,
  type Content,
  type StoredMemo,
  type StoredRealisation,
} from '../records/reachable.ts';

export class LiveSet {
  readonly #database: Database;
  readonly derivations = new Set<Digest>();
  readonly actions = new Set<Digest>();
  readonly content: Content = emptyContent();
  /** Descriptions that were followed already. */
  readonly #followed = new Set<Digest>();
  /** Records that were looked at already, as they were then. */
  readonly #memos = new Map<Digest, Uint8Array>();
  readonly #realisations = new Map<Digest, Uint8Array>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds what these lead to, as derivations or as content, and what has come since to what was added before. */
  extend(digests: Iterable<Digest>): void {
    for (const digest of digests) {
      this.derivations.add(digest);
      this.content.blobs.add(digest);
      addReachable(this.content, [{ kind: 'tree', digest }], this.#database);
    }
    this.#followDescriptions();
    for (const id of this.derivations) this.#addMemo(id);
    for (const action of this.actions) this.#addRealisation(action);
  }

  // The set is walked while it grows.
  #followDescriptions(): void {
    const descriptions = this.#database.table('descriptions');
    for (const id of this.derivations) {
      if (this.#followed.has(id)) continue;
      const bytes = descriptions.get(id);
      if (bytes === undefined) continue;
      this.#followed.add(id);
      for (const reference of referencesIn(readCbor(bytes))) this.derivations.add(reference);
    }
  }

  #addMemo(id: Digest): void {
    const bytes = changed(this.#memos, id, this.#database.table('memos').get(id));
    if (bytes === undefined) return;
    const { action, outputs } = readCbor(bytes) as unknown as StoredMemo;
    this.actions.add(action);
    addReachable(this.content, Object.values(outputs), this.#database);
  }

  #addRealisation(action: Digest): void {
    const bytes = changed(this.#realisations, action, this.#database.table('realisations').get(action));
    if (bytes === undefined) return;
    const { outputs, log } = readCbor(bytes) as unknown as StoredRealisation;
    addReachable(this.content, Object.values(outputs), this.#database);
    if (log !== undefined) this.content.blobs.add(log);
  }
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
