// What living sessions use, told to garbage collection: derivations they build, content they look at or run steps on, and
// the content of commits under way, by name. In the database that is not flushed, since it need not outlive its processes.
//
// A commit names what it relies on before it looks whether that is there, and until its records are there; while a
// collection is under way, its names stay until that ends, and so do those of what is told to be used meanwhile. No clock is
// asked.

import { digestHash, type Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import type { TableName } from '../records/table-names.ts';
import type { Table } from '../records/table.ts';

/** The lock that is held while garbage is looked for and deleted. */
export const collectionLock = 'gc';

/**
 * The lock that is held, within that time, until the records of what goes are gone. From then on what is left names only
 * what stays.
 */
export const decisionLock = 'gc-decision';

const hashDigits = 64;

/** The uses of one session. */
export class Uses {
  readonly #database: () => Database;
  readonly #session: () => string;
  readonly #known = new Set<Digest>();
  #named = 0;

  /** @param session the session's id; it shows life before that is given */
  constructor(database: () => Database, session: () => string) {
    this.#database = database;
    this.#session = session;
  }

  /** Records digests as used, until {@link clear}. True when some were not before. */
  add(digests: Iterable<Digest>): boolean {
    const fresh = [...digests].filter((digest) => !this.#known.has(digest));
    if (fresh.length === 0) return false;
    const [uses, committed, locks] = this.#tables('uses', 'committed', 'locks');
    const session = this.#session();
    const names = namesOf(fresh.map(digestHash));
    this.#database().transactionSync(() => {
      for (const digest of fresh) uses.putSync(`${session}/${digest}`, Buffer.alloc(0));
      // A collection that is under way may have read what is used before.
      if (locks.doesExist(collectionLock)) committed.putSync(`${session}/${this.#named++}`, names);
    });
    for (const digest of fresh) this.#known.add(digest);
    return true;
  }

  /**
   * Names the content of a commit, by hash: none of it is taken away from now on. What this gives is to be called when the
   * commit's records are there, or will never be.
   */
  beginCommit(hashes: Iterable<string>): () => void {
    const [commits, committed, locks] = this.#tables('commits', 'committed', 'locks');
    const key = `${this.#session()}/${this.#named++}`;
    const names = namesOf(hashes);
    this.#database().transactionSync(() => commits.putSync(key, names));
    return () =>
      this.#database().transactionSync(() => {
        commits.removeSync(key);
        // A collection that is under way looked at the records before these were there.
        if (locks.doesExist(collectionLock)) committed.putSync(key, names);
      });
  }

  /** Forgets what is used. */
  clear(): void {
    this.keepOnly(new Set());
  }

  /** Forgets what is used but these. */
  keepOnly(kept: ReadonlySet<Digest>): void {
    const dropped = [...this.#known].filter((digest) => !kept.has(digest));
    if (dropped.length === 0) return;
    const [[table], session] = [this.#tables('uses'), this.#session()];
    this.#database().transactionSync(() => {
      for (const digest of dropped) table.removeSync(`${session}/${digest}`);
    });
    for (const digest of dropped) this.#known.delete(digest);
  }

  // All are opened before a transaction begins.
  #tables<const Names extends readonly TableName[]>(...names: Names): { [At in keyof Names]: Table } {
    return names.map((name) => this.#database().table(name)) as { [At in keyof Names]: Table };
  }
}

function namesOf(hashes: Iterable<string>): Buffer {
  return Buffer.concat([...hashes].map((hash) => Buffer.from(hash, 'hex')));
}

type UsesTable = 'uses' | 'commits' | 'committed';

/** What all sessions use now, but those that `isDead` says have ended. */
export function usesOf(database: Database, isDead: (session: string) => boolean): Digest[] {
  database.refresh();
  const digests: Digest[] = [];
  for (const key of database.table('uses').getKeys()) {
    const [session, digest] = split(key);
    if (!isDead(session)) digests.push(digest as Digest);
  }
  return digests;
}

/**
 * The content of commits that are under way, or ended during this collection, and what was told to be used during it. Grows
 * each time it is read again.
 */
export class NamedMeanwhile {
  readonly #tables: readonly Table[];
  readonly #isDead: (session: string) => boolean;
  readonly #read = new Set<string>();
  readonly #hashes = new Set<string>();

  constructor(database: Database, isDead: (session: string) => boolean) {
    this.#tables = [database.table('commits'), database.table('committed')];
    this.#isDead = isDead;
  }

  /** To be called inside a transaction of its database: as long as that lasts, nobody names more. */
  read(): ReadonlySet<string> {
    for (const table of this.#tables)
      for (const { key, value } of table.getRange()) {
        if (this.#read.has(key) || this.#isDead(split(key)[0])) continue;
        this.#read.add(key);
        const names = Buffer.from(value).toString('hex');
        for (let at = 0; at < names.length; at += hashDigits)
          this.#hashes.add(names.slice(at, at + hashDigits));
      }
    return this.#hashes;
  }
}

/** Sessions that have told of something, dead ones among them. */
export function tellingSessions(database: Database): string[] {
  database.refresh();
  const keys = (['uses', 'commits'] as const).flatMap((name) => [...database.table(name).getKeys()]);
  return [...new Set(keys.map((key) => split(key)[0]))];
}

/** Forgets what sessions that have ended used, and, at either end of a collection, what was named during one. */
export function forgetUses(database: Database, isDead: (session: string) => boolean): void {
  const of = (name: UsesTable, isOver: (session: string) => boolean): [UsesTable, string][] =>
    [...database.table(name).getKeys()]
      .filter((key) => isOver(split(key)[0]))
      .map((key): [UsesTable, string] => [name, key]);
  database.refresh();
  const over = [...of('uses', isDead), ...of('commits', isDead), ...of('committed', () => true)];
  if (over.length === 0) return;
  database.transactionSync(() => {
    for (const [name, key] of over) database.table(name).removeSync(key);
  });
}

function split(key: string): [session: string, rest: string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
