// Which nodes are, or hold, content with certain hashes. Each directory is read once, however many trees it is part of and however
// deep it lies: each step of a long chain gives most of what the one before it gave.

import { UserError } from '../base/errors.ts';
import { digestHash, type Digest } from '../base/digest.ts';
import type { Database } from '../records/database.ts';
import { readDirectory } from '../records/reachable.ts';
import type { Directory, Node } from '../trees/tree.ts';

/** A directory that is being looked into. */
interface Open {
  readonly hash: string;
  /** Those that were not looked at yet. */
  readonly children: Node[];
}

export class Holding {
  readonly #hashes: ReadonlySet<string>;
  readonly #database: Database;
  /** What was found out, by the directory's hash. */
  readonly #known = new Map<string, boolean>();

  /** @param hashes the digests' SHA-256 parts */
  constructor(hashes: ReadonlySet<string>, database: Database) {
    this.#hashes = hashes;
    this.#database = database;
  }

  /** True as well when a directory of it cannot be read: it may hold anything. */
  holds(node: Node): boolean {
    if (node.kind === 'symlink') return false;
    const hash = digestHash(node.digest);
    if (this.#hashes.has(hash)) return true;
    return node.kind === 'tree' && (this.#known.get(hash) ?? this.#lookInto(node.digest));
  }

  // By a stack of its own: trees may be deeper than the one of this thread.
  #lookInto(top: Digest): boolean {
    const open: Open[] = [];
    if (!this.#enter(top, open)) return true;
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const child = last.children.pop();
      if (child === undefined) {
        open.pop();
        this.#known.set(last.hash, false);
      } else if (this.#isUnknown(child) ? !this.#enter(child.digest, open) : this.holds(child)) {
        // What holds something makes all that hold it do so.
        for (const { hash } of open) this.#known.set(hash, true);
        return true;
      }
    }
    return false;
  }

  /** False when it cannot be read. */
  #enter(digest: Digest, open: Open[]): boolean {
    const hash = digestHash(digest);
    const directory = this.#read(digest);
    if (directory === undefined) this.#known.set(hash, true);
    else open.push({ hash, children: [...directory.values()] });
    return directory !== undefined;
  }

  #isUnknown(node: Node): node is Node & { readonly kind: 'tree' } {
    if (node.kind !== 'tree') return false;
    const hash = digestHash(node.digest);
    return !this.#hashes.has(hash) && !this.#known.has(hash);
  }

  // Nothing is below one that is not there; undefined for one that is damaged.
  #read(digest: Digest): Directory | undefined {
    try {
      return readDirectory(this.#database, digest) ?? new Map<string, Node>();
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }
}
