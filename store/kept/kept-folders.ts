// The folders of a store that persist between builds of one lineage: who may have them now, and whether what is there can
// still be relied on. What cannot, for whatever reason, is thrown away: a kept folder saves time and holds nothing else.

import { existsSync, utimesSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hash } from 'node:crypto';
import type { Digest } from '../base/digest.ts';
import { makeFolder } from '../base/make-folder.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { canonicalAtimeSeconds } from '../layout.ts';
import { bootId } from '../processes/owner.ts';
import type { HeldLock, Kept, KeptFolders, KeptWish, Lock, Locks } from '../store.ts';
import type { Node } from '../trees/tree.ts';
import { userSuffix } from '../trees/tree-folders.ts';
import type { WriteTreeContext } from '../trees/write-tree.ts';
import { discardAside } from './discard-aside.ts';
import { KeptFolder, foldersIn, sourceIn, sourcesIn } from './kept-folder.ts';
import { filesBehind, filesIn } from './link-targets.ts';
import { readKeptRecord, writeKeptRecord, type KeptRecord } from './kept-record.ts';
import { fillSource, synchronise } from './synchronise.ts';

export interface KeptContext extends WriteTreeContext {
  readonly locks: Locks;
  readonly use: (digests: readonly Digest[]) => Promise<void>;
  /** Resolves when all that was written before is on the disk; false when this machine has no means for that. */
  readonly flush: () => Promise<boolean>;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}

/** The lock on an entry, for whoever uses or removes it. */
export function keptLock(name: string): string {
  return `kept:${name}`;
}

/** So much younger than everything kept a change is at least: file systems keep time in steps, of 10 ms at most. */
const stepMs = 20;
/** Longer than this nobody waits until the clock has passed the youngest file. */
const longestWaitMs = 2000;

export class StoreKeptFolders implements KeptFolders {
  readonly #context: KeptContext;

  /** Entries that were released and are not known to be on the disk, each with the version of its record. */
  readonly #unflushed = new Map<string, string>();

  constructor(context: KeptContext) {
    this.#context = context;
  }

  async take(wish: KeptWish): Promise<Kept | HeldLock> {
    const name = entryName(wish.lineage);
    const lock = await this.#context.locks.tryAcquire(keptLock(name));
    if (lock.kind === 'held') return lock;
    const entry = `${this.#context.layout.work}/${name}`;
    try {
      await this.#context.use(Object.values(wish.sources).flatMap(digestsIn));
      return await this.#prepare(wish, entry, lock);
    } catch (error) {
      this.#discard(entry);
      await lock.release();
      throw explainWriteError(error, this.#context.layout.root);
    }
  }

  async forget(lineage: string): Promise<void> {
    const name = entryName(lineage);
    const lock = await this.#context.locks.acquire(keptLock(name));
    this.#discard(`${this.#context.layout.work}/${name}`);
    await lock.release();
  }

  /** Makes what was kept survive the loss of power; until then it survives the loss of this process. */
  async close(): Promise<void> {
    if (this.#unflushed.size === 0 || !(await this.#context.flush())) return;
    for (const [entry, version] of this.#unflushed) await this.#settle(entry, version);
  }

  // Whoever has it by now, or has thrown it away, knows better.
  async #settle(entry: string, version: string): Promise<void> {
    const lock = await this.#context.locks.tryAcquire(keptLock(basename(entry)));
    if (lock.kind === 'held') return;
    const record = readKeptRecord(entry);
    if (record?.version === version) writeKeptRecord(entry, { ...record, unflushedIn: undefined });
    await lock.release();
  }

  async #prepare(wish: KeptWish, entry: string, lock: Lock): Promise<Kept> {
    const found = this.#usable(wish, entry);
    const before = found === undefined || (await isPast(found.newestMs)) ? found : undefined;
    if (before === undefined) return this.#begin(wish, entry, lock);
    if (before.key !== wish.key) discardAside(foldersIn(entry), this.#context.freshPath('kept'));
    const changedBefore = existsSync(foldersIn(entry)) ? before.changed : undefined;
    const folder = this.#opened(wish, entry, lock);
    folder.markOut({ ...before, key: wish.key, changed: changedBefore });
    const stampMs = Date.now() - stepMs;
    const changed = await this.#renewSources(wish, before, { entry, stampMs });
    return folder.ready({
      changed: changed && changedBefore && [...new Set([...changedBefore, ...changed])],
      newestMs: Math.max(before.newestMs, stampMs),
      isPristine: false,
    });
  }

  // What an earlier build left, unless something tells that it was ended in the middle, or was another thing.
  #usable({ sources, lineage }: KeptWish, entry: string): KeptRecord | undefined {
    const record = readKeptRecord(entry);
    if (record?.state !== 'in' || record.lineage !== lineage) return undefined;
    if (record.unflushedIn !== undefined && record.unflushedIn !== bootId()) return undefined;
    const places = Object.keys(sources).sort();
    const isSame = JSON.stringify(places) === JSON.stringify(Object.keys(record.sources).sort());
    return isSame && existsSync(sourcesIn(entry)) ? record : undefined;
  }

  async #begin(wish: KeptWish, entry: string, lock: Lock): Promise<Kept> {
    this.#discard(entry);
    makeFolder(entry);
    makeFolder(sourcesIn(entry));
    const folder = this.#opened(wish, entry, lock);
    const { lineage, key, sources } = wish;
    folder.markOut({ lineage, key, sources, newestMs: 0 });
    for (const [at, path] of Object.keys(sources).sort().entries())
      await fillSource(sources[path]!, sourceIn(entry, at), this.#context);
    return folder.ready({ changed: undefined, newestMs: 0, isPristine: true });
  }

  #opened(wish: KeptWish, entry: string, lock: Lock): KeptFolder {
    return new KeptFolder({
      ...{ entry, lock, wish },
      freshPath: this.#context.freshPath,
      onReleased: (version) => this.#unflushed.set(entry, version),
    });
  }

  async #renewSources(
    { sources }: KeptWish,
    before: KeptRecord,
    { entry, stampMs }: { readonly entry: string; readonly stampMs: number },
  ): Promise<readonly string[] | undefined> {
    let all: readonly string[] | undefined = [];
    for (const [at, place] of Object.keys(sources).sort().entries()) {
      const changed = await synchronise(
        {
          before: before.sources[place]!,
          after: sources[place]!,
          path: sourceIn(entry, at),
          seconds: stampMs / 1000,
        },
        this.#context,
      );
      all = all && changed && [...all, ...changed.map((path) => place + path)];
    }
    const { trees } = this.#context;
    const files = all === undefined ? filesIn(sources, trees) : filesBehind(all, sources, trees);
    return this.#touch(files, { sources, entry, stampMs }, all);
  }

  // What a changed link leads to is not changed itself, but looks so from then on.
  #touch(
    files: readonly string[],
    { sources, entry, stampMs }: { sources: KeptWish['sources']; entry: string; stampMs: number },
    changed: readonly string[] | undefined,
  ): readonly string[] | undefined {
    const places = Object.keys(sources).sort();
    for (const file of files) {
      const at = places.findIndex((place) => file === place || file.startsWith(`${place}/`));
      const path = sourceIn(entry, at) + file.slice(places[at]!.length);
      utimesSync(path, canonicalAtimeSeconds, stampMs / 1000);
    }
    return changed && [...new Set([...changed, ...files])];
  }

  #discard(entry: string): void {
    discardAside(entry, this.#context.freshPath('kept'));
  }
}

function digestsIn(node: Node): Digest[] {
  return node.kind === 'symlink' ? [] : [node.digest];
}

/** What the entry of a lineage is called. Another user's folders are not ours to write to. */
function entryName(lineage: string): string {
  return `${hash('sha256', lineage, 'hex').slice(0, 32)}${userSuffix()}`;
}

// False when the clock was set back: then what is made next would seem older than what was made before.
async function isPast(newestMs: number): Promise<boolean> {
  const aheadMs = newestMs + 2 * stepMs - Date.now();
  if (aheadMs > longestWaitMs) return false;
  if (aheadMs > 0) await delay(aheadMs);
  return true;
}
