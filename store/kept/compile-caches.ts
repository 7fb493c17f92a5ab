// The folders in which compilers' results are kept from one build of a lineage to the next: who may have one now, and how much
// room all of them may take. What is in one is its program's own, which bears being ended at any moment and finds damage by
// itself. It saves time and holds nothing else, so whatever is in doubt is thrown away.

import { hash } from 'node:crypto';
import { chmodSync, existsSync } from 'node:fs';
import { basename } from 'node:path';
import { listFolder } from '../base/list-folder.ts';
import { makeFolder } from '../base/make-folder.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import type { Layout } from '../layout.ts';
import type { CompileCache, CompileCaches, CompileCacheWish, Lock, Locks } from '../store.ts';
import { userSuffix } from '../trees/tree-folders.ts';
import { measureFolder } from '../upkeep/usage.ts';
import { readCompileCacheRecord, writeCompileCacheRecord } from './compile-cache-record.ts';
import { discardAside } from './discard-aside.ts';

export interface CompileCachesContext {
  readonly layout: Layout;
  readonly locks: Locks;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
}

/** The lock on an entry, for whoever uses or removes it. */
export function compileCacheLock(name: string): string {
  return `compile-cache:${name}`;
}

/** So much more than it was told to a program may have left in its folder, since it looks only now and then. */
const slack = 1.1;

export class StoreCompileCaches implements CompileCaches {
  readonly #context: CompileCachesContext;

  constructor(context: CompileCachesContext) {
    this.#context = context;
  }

  async take({ lineage, maxBytes }: CompileCacheWish): Promise<CompileCache | undefined> {
    const entry = this.#entryOf(lineage);
    const lock = await this.#context.locks.tryAcquire(compileCacheLock(basename(entry)));
    if (lock.kind === 'held') return undefined;
    try {
      if (readCompileCacheRecord(entry)?.lineage !== lineage || !existsSync(contentIn(entry))) {
        this.#discard(entry);
        makeFolder(entry);
        makeFolder(contentIn(entry));
      }
      // A step may have shut it.
      chmodSync(contentIn(entry), 0o755);
      writeCompileCacheRecord(entry, { lineage, sizeBytes: maxBytes });
      return { path: contentIn(entry), release: () => this.#release(entry, { lineage, maxBytes }, lock) };
    } catch (error) {
      await lock.release();
      throw explainWriteError(error, this.#context.layout.root);
    }
  }

  async forget(lineage: string): Promise<void> {
    const entry = this.#entryOf(lineage);
    if (!existsSync(entry)) return;
    const lock = await this.#context.locks.acquire(compileCacheLock(basename(entry)));
    this.#discard(entry);
    await lock.release();
  }

  async #release(entry: string, { lineage, maxBytes }: CompileCacheWish, lock: Lock): Promise<void> {
    try {
      const { sizeBytes } = await measureFolder(entry);
      if (sizeBytes > maxBytes * slack) this.#discard(entry);
      else writeCompileCacheRecord(entry, { lineage, sizeBytes });
    } finally {
      await lock.release();
    }
    await this.#bound(maxBytes);
  }

  // Used longest ago goes first; what somebody has stays, and is measured when he has done with it.
  async #bound(maxBytes: number): Promise<void> {
    const { layout, locks } = this.#context;
    const entries = listFolder(layout.compileCaches).map((name) => {
      const path = `${layout.compileCaches}/${name}`;
      return { name, path, record: readCompileCacheRecord(path) };
    });
    let totalBytes = entries.reduce((sum, { record }) => sum + (record?.sizeBytes ?? 0), 0);
    entries.sort((a, b) => (a.record?.usedMs ?? 0) - (b.record?.usedMs ?? 0));
    for (const { name, path, record } of entries) {
      if (totalBytes <= maxBytes * slack) return;
      const lock = await locks.tryAcquire(compileCacheLock(name));
      if (lock.kind === 'held') continue;
      this.#discard(path);
      await lock.release();
      totalBytes -= record?.sizeBytes ?? 0;
    }
  }

  #discard(entry: string): void {
    discardAside(entry, this.#context.freshPath('compile-cache'));
  }

  // Another user's folders are not ours to write to.
  #entryOf(lineage: string): string {
    return `${this.#context.layout.compileCaches}/${hash('sha256', lineage, 'hex').slice(0, 32)}${userSuffix()}`;
  }
}

function contentIn(entry: string): string {
  return `${entry}/content`;
}
