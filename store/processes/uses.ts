// What living sessions use, told to garbage collection: derivations they build, content they look at or run steps on, and
// commits under way. In the database that is not flushed, since it need not outlive its processes.

import { encodeCbor, readCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import type { Database, Table } from '../records/database.ts';

/** File times move in steps of up to 10 ms. */
const clockStepMs = 20;

/** The uses of one session. */
export class Uses {
  readonly #database: () => Database;
  readonly #session: () => string;
  readonly #known = new Set<Digest>();
  #commits = 0;

  /** @param session the session's id; it shows life before that is given */
  constructor(database: () => Database, session: () => string) {
    this.#database = database;
    this.#session = session;
  }

  /** Records digests as used, until {@link clear}. True when some were not before. */
  add(digests: Iterable<Digest>): boolean {
    const fresh = [...digests].filter((digest) => !this.#known.has(digest));
    if (fresh.length === 0) return false;
    const [table, session] = [this.#table('uses'), this.#session()];
    this.#database().transactionSync(() => {
      for (const digest of fresh) table.putSync(`${session}/${digest}`, Buffer.alloc(0));
    });
    for (const digest of fresh) this.#known.add(digest);
    return true;
  }

  /** Says that files are going to be placed whose record comes later. What it gives is to be called when that is there. */
  beginCommit(): () => void {
    const [table, key] = [this.#table('commits'), `${this.#session()}/${this.#commits++}`];
    const startedMs = Math.floor(Date.now() - clockStepMs);
    this.#database().transactionSync(() => table.putSync(key, Buffer.from(encodeCbor(startedMs))));
    return () => this.#database().transactionSync(() => void table.removeSync(key));
  }

  /** Forgets all of it. */
  clear(): void {
    if (this.#known.size === 0) return;
    const [table, session] = [this.#table('uses'), this.#session()];
    this.#database().transactionSync(() => {
      for (const digest of this.#known) table.removeSync(`${session}/${digest}`);
    });
    this.#known.clear();
  }

  #table(name: 'uses' | 'commits'): Table {
    return this.#database().table(name);
  }
}

/** What all sessions use now, but those that `isDead` says have ended. */
export function usesOf(
  database: Database,
  isDead: (session: string) => boolean,
): { readonly digests: readonly Digest[]; readonly oldestCommitMs: number } {
  database.refresh();
  const digests: Digest[] = [];
  for (const key of database.table('uses').getKeys()) {
    const [session, digest] = split(key);
    if (!isDead(session)) digests.push(digest as Digest);
  }
  let oldestCommitMs = Infinity;
  for (const { key, value } of database.table('commits').getRange())
    if (!isDead(split(key)[0])) oldestCommitMs = Math.min(oldestCommitMs, readCbor(value) as number);
  return { digests, oldestCommitMs };
}

/** Forgets what sessions that have ended used. */
export function forgetUses(database: Database, isDead: (session: string) => boolean): void {
  for (const name of ['uses', 'commits']) {
    const table = database.table(name);
    const dead = [...table.getKeys()].filter((key) => isDead(split(key)[0]));
    if (dead.length > 0)
      database.transactionSync(() => {
        for (const key of dead) table.removeSync(key);
      });
  }
}

function split(key: string): [session: string, rest: string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}
