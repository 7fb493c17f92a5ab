// The store's parts put together: one object behind the contract in store.ts, opening each part when first needed.

import { readdir } from 'node:fs/promises';
import { digestHash, type Digest } from './base/digest.ts';
import { UserError } from './base/errors.ts';
import { FileBatch } from './content/batch.ts';
import { FileBlobs } from './content/blobs.ts';
import { Database } from './records/database.ts';
import { Durability } from './content/durability.ts';
import { FilePool } from './content/file-pool.ts';
import { Copies } from './upkeep/forget-copies.ts';
import { peopleDirectoryMode, stepDirectoryMode, type Layout } from './layout.ts';
import { DatabaseLocks } from './processes/locks.ts';
import type { StoreCompileCaches } from './kept/compile-caches.ts';
import type { StoreKeptFolders } from './kept/kept-folders.ts';
import { ownerOf, volatileDatabase } from './processes/owner.ts';
import { StoredLeftBlobs } from './records/left-blobs.ts';
import { LmdbRecords } from './records/records.ts';
import { Session, isAlive } from './processes/session.ts';
import type {
  CompileCaches,
  ImportOptions,
  ImportResult,
  ImportRules,
  KeptFolders,
  Maintenance,
  Store,
} from './store.ts';
import { Uses, decisionLock } from './processes/uses.ts';
import type { Alteration } from './trees/seal.ts';
import { StoredTrees } from './trees/stored-trees.ts';
import { TreeFolders, discardEntry, userSuffix, type ContentNode } from './trees/tree-folders.ts';

export class LocalStore implements Store {
  readonly path: string;
  readonly blobs: FileBlobs;
  readonly trees: StoredTrees;
  readonly left: StoredLeftBlobs;
  readonly records: LmdbRecords;
  readonly locks: DatabaseLocks;
  readonly kept: KeptFolders;
  readonly compileCaches: CompileCaches;
  readonly #layout: Layout;
  readonly #database: Database;
  readonly #durability: Durability;
  readonly #session: Session;
  readonly #uses: Uses;
  readonly #forSteps: TreeFolders;
  readonly #forPeople: TreeFolders;
  #addedBytes = 0;
  readonly #copies: Copies;
  #volatile: Database | undefined;
  #kept: StoreKeptFolders | undefined;
  #compileCaches: StoreCompileCaches | undefined;
  #pool: FilePool | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(layout: Layout) {
    this.path = layout.root;
    this.#layout = layout;
    this.#database = Database.open(layout.database, { durable: true });
    this.#durability = new Durability(layout.temporary);
    this.#session = new Session(layout);
    this.#uses = new Uses(
      () => this.#openVolatile(),
      () => this.#ownSession(),
    );
    this.left = new StoredLeftBlobs(this.#database);
    this.blobs = new FileBlobs({
      layout,
      isLeft: (digest) => this.left.has(digest),
      freshPath: (label) => this.#session.freshPath(label),
      onLoss: (digest) => this.#forgetCopies(digest),
    });
    this.trees = new StoredTrees(
      () => this.#database.table('directories'),
      () => this.#database.deletions(),
    );
    this.#copies = new Copies({
      layout,
      database: this.#database,
      trees: this.trees,
      freshPath: (label) => this.#session.freshPath(label),
    });
    const shared = {
      layout,
      blobs: this.blobs,
      trees: this.trees,
      pool: () => this.#filePool(),
      freshPath: (label: string) => this.#session.freshPath(label),
      onLoss: (digest: Digest) => this.#forgetCopies(digest),
    };
    this.#forSteps = new TreeFolders({
      ...shared,
      place: layout.trees,
      suffix: userSuffix(),
      directoryMode: stepDirectoryMode,
      onAltered: (node, alteration) => this.#forgetBuiltFrom(node, alteration),
    });
    this.#forPeople = new TreeFolders({
      ...shared,
      place: layout.results,
      suffix: '',
      directoryMode: peopleDirectoryMode,
      onAltered: () => Promise.resolve(),
    });
    this.records = new LmdbRecords(this.#database);
    this.locks = new DatabaseLocks({
      database: () => this.#openVolatile(),
      owner: () => ownerOf(this.#ownSession()),
      isAlive: (session) => isAlive(layout, session),
      afterAcquire: () => this.#database.refresh(),
    });
    // Loaded when a step has such folders: few do.
    const openKept = async (): Promise<StoreKeptFolders> => {
      const { StoreKeptFolders } = await import('./kept/kept-folders.ts');
      return (this.#kept ??= new StoreKeptFolders({
        ...shared,
        directoryMode: stepDirectoryMode,
        locks: this.locks,
        use: (digests) => this.use(digests),
        flush: () => this.#durability.flushAll(),
      }));
    };
    this.kept = {
      take: async (wish) => (await openKept()).take(wish),
      forget: async (lineage) => (await openKept()).forget(lineage),
    };
    const openCompileCaches = async (): Promise<StoreCompileCaches> => {
      const { StoreCompileCaches } = await import('./kept/compile-caches.ts');
      return (this.#compileCaches ??= new StoreCompileCaches({ ...shared, locks: this.locks }));
    };
    this.compileCaches = {
      take: async (wish) => (await openCompileCaches()).take(wish),
      forget: async (lineage) => (await openCompileCaches()).forget(lineage),
    };
  }

  begin({ isWhole = false }: { readonly isWhole?: boolean } = {}): FileBatch {
    void this.#sweep();
    return new FileBatch({
      layout: this.#layout,
      database: this.#database,
      trees: this.trees,
      left: this.left,
      isWhole,
      durability: this.#durability,
      pool: () => this.#filePool(),
      onPlaced: (sizeBytes) => (this.#addedBytes += sizeBytes),
      beginCommit: (hashes) => this.#uses.beginCommit(hashes),
      folder: this.#session.freshPath('batch'),
    });
  }

  async importFolder(folder: string, options: ImportOptions = {}): Promise<ImportResult> {
    const { importFolder } = await import('./import/import-folder.ts');
    return importFolder(folder, options, {
      layout: this.#layout,
      pool: () => this.#filePool(),
      begin: () => this.begin(),
      use: (tree) => this.use([tree]),
      hasDirectory: (tree) => this.trees.isStored(tree),
      freshPath: () => this.#session.freshPath('snapshot'),
    });
  }

  async importRules(folder: string, { exclude = [] }: ImportOptions = {}): Promise<ImportRules> {
    const { FolderRules } = await import('./import/folder-rules.ts');
    return new FolderRules(folder, exclude);
  }

  async use(digests: Iterable<Digest>): Promise<void> {
    if (!this.#uses.add(digests)) return;
    // A collection that could not know of them must have decided before anybody looks whether they are there.
    await this.locks.freed(decisionLock);
    this.#database.refresh();
    this.trees.refresh();
  }

  useOnly(digests: Iterable<Digest>): void {
    this.#uses.keepOnly(new Set(digests));
  }

  async materialise(tree: Digest): Promise<string> {
    await this.use([tree]);
    return this.#forSteps.path({ kind: 'tree', digest: tree });
  }

  async materialiseBlob(digest: Digest, executable: boolean): Promise<string> {
    await this.use([digest]);
    return this.#forSteps.path({ kind: 'blob', digest, executable });
  }

  async handOut(node: ContentNode): Promise<string> {
    await this.use([node.digest]);
    return this.#forPeople.path(node);
  }

  scratch(label: string): Promise<string> {
    void this.#sweep();
    return Promise.resolve(this.#session.freshFolder(label));
  }

  async maintenance(): Promise<Maintenance> {
    const { StoreMaintenance } = await import('./upkeep/maintenance.ts');
    return new StoreMaintenance({
      layout: this.#layout,
      database: this.#database,
      volatile: () => this.#openVolatile(),
      trees: this.trees,
      copies: this.#copies,
      lock: (key, signal) => this.locks.acquire(key, signal === undefined ? {} : { signal }),
      tryLock: (key) => this.locks.tryAcquire(key),
      isLocked: (key) => this.locks.isHeld(key),
      sweep: () => this.#sweep(),
      addedBytes: () => this.#addedBytes,
      freshPath: (label) => this.#session.freshPath(label),
    });
  }

  async close(): Promise<void> {
    await this.#sweeping;
    await this.#kept?.close();
    await this.#pool?.close();
    this.#forgetUses();
    this.#session.close();
    await this.#volatile?.close();
    await this.#database.close();
  }

  // A collection does not heed those of a session that has ended.
  #forgetUses(): void {
    try {
      this.#uses.clear();
    } catch (error) {
      if (!(error instanceof UserError && error.code === 'DISK_FULL')) throw error;
    }
  }

  #ownSession(): string {
    this.#session.enter();
    return this.#session.id;
  }

  // Where nothing was built from it since, it is made anew, and that is all.
  async #forgetBuiltFrom({ digest }: ContentNode, { paths, sinceMs }: Alteration): Promise<void> {
    const { forgetBuiltFrom } = await import('./upkeep/forget-built-from.ts');
    const names = await forgetBuiltFrom(digestHash(digest), sinceMs, this.#database);
    if (names.length === 0) return;
    throw alteredError(`${this.#layout.trees}/${digestHash(digest)}`, paths, names);
  }

  #forgetCopies(digest: Digest): void {
    this.#copies.forget([digestHash(digest)]);
  }

  #filePool(): FilePool {
    this.#pool ??= new FilePool();
    return this.#pool;
  }

  // Locks and what else need not outlive the machine's next start.
  #openVolatile(): Database {
    this.#volatile ??= Database.open(volatileDatabase(this.#layout), { durable: false });
    return this.#volatile;
  }

  // Once for each open store, and only by one that writes.
  #sweep(): Promise<void> {
    // What cannot be removed now, another user's for example, is met again next time.
    return (this.#sweeping ??= this.#sweepDead().catch(() => undefined));
  }

  async #sweepDead(): Promise<void> {
    await this.#session.sweep();
    const [folder, current] = [this.#layout.database, volatileDatabase(this.#layout)];
    for (const name of await readdir(folder)) {
      if (name.startsWith('boot-') && `${folder}/${name}` !== current)
        discardEntry(`${folder}/${name}`, this.#session.freshPath('boot'));
    }
  }
}

function alteredError(folder: string, paths: readonly string[], names: readonly string[]): UserError {
  const what = paths.map((path) => (path === '' ? 'the folder itself' : path)).join(', ');
  return new UserError(
    'STORE_ALTERED',
    `somebody has altered ${what} in ${folder}, and ${names.join(', ')} may have been built from that`,
    {
      hint: 'All of it is forgotten, and the folder is made anew. Run the command again.',
      fault: 'environment',
    },
  );
}
