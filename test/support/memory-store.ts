// A store in this process's memory, for tests that need no disk: content, records and locks as store.ts promises them.
// Nothing of it outlives the process. Folders of trees are written to the temporary folder when they are asked for.
// It has no upkeep, imports no folders and keeps none: that is about what lies on a disk.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestHash, digestOf, type Digest } from '../../store/base/digest.ts';
import { bug } from '../../store/base/errors.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { scanFolder, type ScannedDirectory } from '../../store/content/scan-folder.ts';
import {
  MissingBlob,
  compareNames,
  emptyDirectory,
  emptyTree,
  encodeDirectory,
  parseTreePath,
  type Batch,
  type Blobs,
  type Directory,
  type HeldLock,
  type LeftBlobs,
  type Lineage,
  type Lock,
  type Locks,
  type Memo,
  type Node,
  type Realisation,
  type RecordWriter,
  type Records,
  type Root,
  type Store,
  type TreeNode,
  type Trees,
} from '../../store/index.ts';

/** A store's contract without what only a disk needs. */
export type ContentStore = Omit<
  Store,
  'importFolder' | 'importRules' | 'maintenance' | 'kept' | 'compileCaches'
>;

/** What several open stores share. */
export class MemoryContent {
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly directories = new Map<Digest, Directory>();
  /** Where blobs were left that never came. */
  readonly left = new Map<Digest, string>();
  readonly tables = new Map<string, Map<string, unknown>>();
  /** By key, who waits for the holder to let go. */
  readonly locks = new Map<string, Set<() => void>>();

  table(name: string): Map<string, unknown> {
    const table = this.tables.get(name) ?? new Map<string, unknown>();
    this.tables.set(name, table);
    return table;
  }
}

export class MemoryStore implements ContentStore {
  readonly path = mkdtempSync(join(tmpdir(), 'cairn-memory-store-'));
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly left: LeftBlobs;
  readonly records: Records;
  readonly locks: Locks;
  readonly #content: MemoryContent;
  readonly #made = new Map<string, string>();
  #folders = 0;

  constructor(content = new MemoryContent()) {
    this.#content = content;
    this.blobs = new MemoryBlobs(content, (digest, executable) => this.#file('blobs', digest, executable));
    this.trees = new MemoryTrees(content);
    this.left = {
      any: () => content.left.size > 0,
      has: (digest) => content.left.has(digest),
      placeOf: (digest) => content.left.get(digest),
    };
    this.records = new MemoryRecords(content);
    this.locks = new MemoryLocks(content);
  }

  /** Another open store with the same content. */
  another(): MemoryStore {
    return new MemoryStore(this.#content);
  }

  begin({ isWhole = false }: { readonly isWhole?: boolean } = {}): Batch {
    return new MemoryBatch(this.#content, this.trees, isWhole);
  }

  materialise(tree: Digest): Promise<string> {
    return attempt(() => this.#folder('trees', tree, 0o755));
  }

  materialiseBlob(digest: Digest, executable: boolean): Promise<string> {
    return attempt(() => this.#file('trees', digest, executable));
  }

  handOut(node: Exclude<Node, { kind: 'symlink' }>): Promise<string> {
    return attempt(() =>
      node.kind === 'tree'
        ? this.#folder('results', node.digest, 0o555)
        : this.#file('results', node.digest, node.executable),
    );
  }

  useOnly(): void {
    // As below.
  }

  // Nothing is ever collected.
  use(): Promise<void> {
    return Promise.resolve();
  }

  scratch(label: string): Promise<string> {
    return attempt(() => this.#freshFolder(label));
  }

  close(): Promise<void> {
    return attempt(() => removeTree(this.path));
  }

  #folder(place: string, tree: Digest, mode: number): string {
    return this.#once(`${place} ${tree}`, () => {
      const folder = join(this.#freshFolder(place), 'content');
      this.#writeDirectory(folder, tree, mode);
      return folder;
    });
  }

  #file(place: string, digest: Digest, executable: boolean): string {
    return this.#once(`${place} ${digest} ${executable}`, () => {
      const path = join(this.#freshFolder(place), 'content');
      this.#writeFile(path, digest, executable);
      return path;
    });
  }

  #once(key: string, make: () => string): string {
    const known = this.#made.get(key);
    if (known !== undefined && existsSync(known)) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  #writeDirectory(folder: string, tree: Digest, mode: number): void {
    mkdirSync(folder);
    const directory = this.trees.get(tree);
    if (directory === undefined) throw new MissingBlob(tree);
    for (const [name, node] of directory) {
      const path = join(folder, name);
      if (node.kind === 'symlink') symlinkSync(node.target, path);
      else if (node.kind === 'tree') this.#writeDirectory(path, node.digest, mode);
      else this.#writeFile(path, node.digest, node.executable);
    }
    chmodSync(folder, mode);
    utimesSync(folder, 1, 1);
  }

  #writeFile(path: string, digest: Digest, executable: boolean): void {
    const bytes = this.#content.blobs.get(digest);
    if (bytes === undefined) throw new MissingBlob(digest);
    writeFileSync(path, bytes);
    chmodSync(path, executable ? 0o555 : 0o444);
    utimesSync(path, 1, 1);
  }

  #freshFolder(label: string): string {
    const folder = join(this.path, `${label}-${this.#folders++}`);
    mkdirSync(folder);
    return folder;
  }
}

class MemoryBlobs implements Blobs {
  readonly #content: MemoryContent;
  readonly #file: (digest: Digest, executable: boolean) => string;

  constructor(content: MemoryContent, file: (digest: Digest, executable: boolean) => string) {
    this.#content = content;
    this.#file = file;
  }

  has(digest: Digest): boolean {
    return this.#content.blobs.has(digest);
  }

  path(digest: Digest, executable: boolean): Promise<string> {
    return attempt(() => this.#file(digest, executable));
  }

  verified(digest: Digest): Promise<string> {
    return this.path(digest, false);
  }

  unaltered(digest: Digest): Promise<string> {
    return this.path(digest, false);
  }

  withHash(hash: string): Digest | undefined {
    return [...this.#content.blobs.keys()].find((digest) => digestHash(digest) === hash);
  }

  read(digest: Digest): Promise<Uint8Array> {
    return attempt(() => {
      const bytes = this.#content.blobs.get(digest);
      if (bytes === undefined) throw new MissingBlob(digest);
      return Uint8Array.from(bytes);
    });
  }
}

class MemoryTrees implements Trees {
  readonly #content: MemoryContent;

  constructor(content: MemoryContent) {
    this.#content = content;
  }

  get(digest: Digest): Directory | undefined {
    return digest === emptyTree.digest ? emptyDirectory : this.#content.directories.get(digest);
  }

  lookup(top: Node, path: string): Node | undefined {
    return parseTreePath(path).reduce<Node | undefined>((node, part) => {
      if (node?.kind !== 'tree') return undefined;
      const directory = this.get(node.digest);
      if (directory === undefined) throw new MissingBlob(node.digest);
      return directory.get(part);
    }, top);
  }
}

class MemoryBatch implements Batch {
  readonly #content: MemoryContent;
  readonly #trees: Trees;
  readonly #blobs = new Map<Digest, Uint8Array>();
  readonly #directories = new Map<Digest, Directory>();
  readonly #left = new Map<Digest, string>();
  readonly #isWhole: boolean;
  #isEnded = false;

  constructor(content: MemoryContent, trees: Trees, isWhole: boolean) {
    this.#content = content;
    this.#trees = trees;
    this.#isWhole = isWhole;
  }

  addBytes(bytes: Uint8Array): Digest {
    return this.#add(digestOf(bytes), bytes);
  }

  addBytesAside(bytes: Uint8Array): Promise<Digest> {
    return attempt(() => this.addBytes(bytes));
  }

  async addStream(
    chunks: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Digest> {
    const read: Uint8Array[] = [];
    for await (const chunk of chunks) {
      options.signal?.throwIfAborted();
      read.push(Uint8Array.from(chunk));
    }
    options.signal?.throwIfAborted();
    return this.addBytes(Buffer.concat(read));
  }

  takeFile(path: string): Promise<Digest> {
    return attempt(() => this.addBytes(takeBytes(path)));
  }

  adopt(path: string, digest: Digest): void {
    this.#add(digest, takeBytes(path));
  }

  addDirectory(directory: Directory): Digest {
    this.#checkOpen();
    const digest = digestOf(encodeDirectory(directory));
    this.#directories.set(digest, new Map(directory));
    return digest;
  }

  leave(digest: Digest, place: string): void {
    this.#checkOpen();
    this.#left.set(digest, place);
  }

  directory(digest: Digest): Directory | undefined {
    return this.#directories.get(digest) ?? this.#trees.get(digest);
  }

  async takeFolder(folder: string): Promise<TreeNode> {
    const { top } = await scanFolder(folder);
    const tree = this.#takeDirectory(top);
    removeTree(folder);
    return tree;
  }

  commit(write?: (records: RecordWriter) => void): Promise<void> {
    return attempt(() => {
      this.#checkOpen();
      const apply = write === undefined ? () => undefined : collect(this.#content, write);
      this.#isEnded = true;
      this.#refuseLost();
      for (const [digest, bytes] of this.#blobs) this.#content.blobs.set(digest, bytes);
      for (const digest of this.#blobs.keys()) this.#content.left.delete(digest);
      for (const [digest, place] of this.#left)
        if (!this.#content.blobs.has(digest)) this.#content.left.set(digest, place);
      for (const [digest, directory] of this.#directories) this.#content.directories.set(digest, directory);
      apply();
    });
  }

  discard(): Promise<void> {
    this.#isEnded = true;
    return Promise.resolve();
  }

  #refuseLost(): void {
    const { blobs, left } = this.#content;
    const isKnown = ({ kind, digest }: Exclude<Node, { kind: 'symlink' }>): boolean => {
      if (kind === 'tree') return this.directory(digest) !== undefined;
      if (this.#blobs.has(digest) || blobs.has(digest)) return true;
      return !this.#isWhole && (this.#left.has(digest) || left.has(digest));
    };
    const named = [...this.#directories.values()].flatMap((directory) => [...directory.values()]);
    const lost = named.flatMap((node) => (node.kind === 'symlink' || isKnown(node) ? [] : [node.digest]));
    if (lost.length > 0) throw new MissingBlob(lost[0]!, { others: lost });
  }

  #add(digest: Digest, bytes: Uint8Array): Digest {
    this.#checkOpen();
    this.#blobs.set(digest, Uint8Array.from(bytes));
    return digest;
  }

  #takeDirectory({ entries }: ScannedDirectory): TreeNode {
    const nodes = [...entries].map(([name, entry]): [string, Node] => {
      if (entry.kind === 'symlink') return [name, entry];
      if (entry.kind === 'directory') return [name, this.#takeDirectory(entry)];
      const digest = this.addBytes(readFileSync(entry.path));
      return [name, { kind: 'blob', digest, executable: entry.executable }];
    });
    return { kind: 'tree', digest: this.addDirectory(new Map(nodes)) };
  }

  #checkOpen(): void {
    if (this.#isEnded) bug('a batch was used after it ended');
  }
}

function takeBytes(path: string): Uint8Array {
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

/** What was written, by kind of fact. Values are copies, so that nobody can change one in place. */
class MemoryRecords implements Records {
  readonly #content: MemoryContent;

  constructor(content: MemoryContent) {
    this.#content = content;
  }

  realisation(action: Digest): Realisation | undefined {
    return this.#read('realisations', action) as Realisation | undefined;
  }

  memo(derivation: Digest): Memo | undefined {
    return this.#read('memos', derivation) as Memo | undefined;
  }

  lineage(name: string): Lineage | undefined {
    return this.#read('lineages', name) as Lineage | undefined;
  }

  description(digest: Digest): CborValue | undefined {
    return this.#read('descriptions', digest) as CborValue | undefined;
  }

  hasDescription(digest: Digest): boolean {
    return this.#content.table('descriptions').has(digest);
  }

  // Nothing is ever taken away.
  deletions(): string {
    return '';
  }

  lastUse(derivation: Digest): number | undefined {
    return this.#read('uses', derivation) as number | undefined;
  }

  duration(lineage: string): number | undefined {
    return this.#read('durations', lineage) as number | undefined;
  }

  root(name: string): Root | undefined {
    return this.#read('roots', name) as Root | undefined;
  }

  *roots(): Iterable<Root> {
    for (const name of [...this.#content.table('roots').keys()].sort(compareNames)) yield this.root(name)!;
  }

  signed(derivation: Digest): readonly Uint8Array[] {
    return (this.#read('signed', derivation) ?? []) as readonly Uint8Array[];
  }

  cached(key: string): CborValue | undefined {
    return this.#read('cached', key) as CborValue | undefined;
  }

  update(write: (records: RecordWriter) => void): Promise<void> {
    return attempt(() => collect(this.#content, write)());
  }

  #read(table: string, key: string): unknown {
    return structuredClone(this.#content.table(table).get(key));
  }
}

// All that can fail happens before anything is changed.
function collect(content: MemoryContent, write: (records: RecordWriter) => void): () => void {
  const changes: (() => void)[] = [];
  const put = (table: string, key: string, value: unknown): void => {
    const copy: unknown = structuredClone(value);
    changes.push(() => content.table(table).set(key, copy));
  };
  const use = (derivation: Digest): void => put('uses', derivation, Date.now());
  const writer = {
    putRealisation: (realisation: Realisation) => put('realisations', realisation.claim.action, realisation),
    putMemo: (memo: Memo, signed: readonly Uint8Array[] = []) => {
      put('memos', memo.derivation, memo);
      put('signed', memo.derivation, signed);
      use(memo.derivation);
    },
    markUsed: use,
    putLineage: (name: string, lineage: Lineage) => put('lineages', name, lineage),
    putDescription: (digest: Digest, description: CborValue) => put('descriptions', digest, description),
    putEncodedDescription: (digest: Digest, encoded: Uint8Array) =>
      put('descriptions', digest, readCbor(encoded)),
    putDuration: (lineage: string, durationMs: number) => put('durations', lineage, durationMs),
    putRoot: (root: Root) => put('roots', root.name, root),
    removeRoot: (name: string) => changes.push(() => content.table('roots').delete(name)),
    putCached: (key: string, value: CborValue) => put('cached', key, value),
  };
  write(writer);
  return () => {
    for (const change of changes) change();
  };
}

class MemoryLocks implements Locks {
  readonly #content: MemoryContent;

  constructor(content: MemoryContent) {
    this.#content = content;
  }

  tryAcquire(key: string): Promise<Lock | HeldLock> {
    const { locks } = this.#content;
    if (locks.has(key)) {
      const freed = (signal: AbortSignal): Promise<void> => this.#freed(key, signal);
      return Promise.resolve({ kind: 'held', holder: `this process (${process.pid})`, freed });
    }
    const waiting = new Set<() => void>();
    locks.set(key, waiting);
    const release = (): Promise<void> => {
      if (locks.get(key) === waiting) locks.delete(key);
      for (const wake of waiting) wake();
      return Promise.resolve();
    };
    return Promise.resolve({ kind: 'lock', release });
  }

  async acquire(
    key: string,
    options: { readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void } = {},
  ): Promise<Lock> {
    for (let looks = 0; ; looks++) {
      options.signal?.throwIfAborted();
      const got = await this.tryAcquire(key);
      if (got.kind === 'lock') return got;
      if (looks === 0) options.onWait?.(got.holder);
      await got.freed(options.signal ?? new AbortController().signal);
    }
  }

  #freed(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const waiting = this.#content.locks.get(key);
      if (waiting === undefined) {
        resolve();
        return;
      }
      waiting.add(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
}

// A failure of what happens at once is that of its promise, as everywhere in a store.
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}
