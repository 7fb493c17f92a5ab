// The store's contract: what the other rooms may ask of it. Knows nothing of how or where anything is kept.

import type { CborValue } from './base/cbor.ts';
import type { Digest } from './base/digest.ts';
import type { DurableTable } from './records/table-names.ts';
import type { Directory, Node } from './trees/tree.ts';

/** Everything that is kept between runs. Several processes may have one store open. */
export interface Store {
  /** The store's folder, absolute. */
  readonly path: string;
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly left: LeftBlobs;
  readonly records: Records;
  readonly locks: Locks;
  readonly kept: KeptFolders;
  readonly compileCaches: CompileCaches;
  /**
   * Starts a batch: new content becomes visible, durable and referable only by `commit`.
   * @param options.isWhole true: its directories may name no blob that was left elsewhere
   */
  begin(options?: { readonly isWhole?: boolean }): Batch;
  /**
   * The content of a folder of this machine as a tree, kept in the store, without what git ignores there and what
   * `.cairnignore` files leave out (see the README); unchanged files are not read again. Commits by itself.
   * @throws UserError `SOURCE_MISSING`, `SOURCE_UNREADABLE`, `OUTPUT_INVALID` (a device, socket or fifo, a name that is not UTF-8).
   */
  importFolder(folder: string, options?: ImportOptions): Promise<ImportResult>;
  /**
   * What `importFolder` leaves out of a folder, for whoever watches it.
   * @throws UserError `SOURCE_UNREADABLE`; a system error when the folder is not there.
   */
  importRules(folder: string, options?: Pick<ImportOptions, 'exclude'>): Promise<ImportRules>;
  /**
   * A folder with the tree's content for steps to be run on: files of its own, whose links, times and modes follow from the
   * tree alone. Nobody writes to it. It stays while this store is open (garbage collection elsewhere leaves it alone).
   * One that is there already is looked at first, once for each open store; an altered one is made anew.
   * @throws MissingBlob when content is missing or was found to be damaged.
   */
  materialise(tree: Digest): Promise<string>;
  /** The same for a blob: a file of its own. @throws MissingBlob */
  materialiseBlob(digest: Digest, executable: boolean): Promise<string>;
  /**
   * The same for people: a read-only folder, or file, that no step is run on, so that whatever is done to it changes no
   * result. It stays until its content is garbage. @throws MissingBlob
   */
  handOut(node: Exclude<Node, { kind: 'symlink' }>): Promise<string>;
  /**
   * Keeps derivations (with all they are made from, and what that gave) and content from garbage collection for as long as
   * this store is open, before any root names them. To be called before looking whether they are there; waits for a
   * collection that is under way.
   */
  use(digests: Iterable<Digest>): Promise<void>;
  /**
   * Lets go of all that was told to be used but these, so that a process that stays open does not keep every version it has
   * come across. Only while nothing of the rest is under way or being looked at.
   */
  useOnly(digests: Iterable<Digest>): void;
  /** A fresh folder for in-flight work on the store's own file system; swept when its owner is gone. */
  scratch(label: string): Promise<string>;
  /** The store's upkeep, loaded when it is asked for. */
  maintenance(): Promise<Maintenance>;
  close(): Promise<void>;
}

export interface Blobs {
  /** True when the blob is there, by name and size; its content is not read. */
  has(digest: Digest): boolean;
  /**
   * The file that holds the blob, to be read.
   * @throws MissingBlob when it is absent or not whole.
   */
  path(digest: Digest, executable: boolean): Promise<string>;
  /**
   * A file with the blob's bytes, all of which have just been hashed: for readers who show them before they have seen the
   * last one. @throws MissingBlob when absent or corrupt.
   */
  verified(digest: Digest): Promise<string>;
  /**
   * The file that holds the blob, executable or not: nobody has written to it since it was put there, as far as its time and
   * mode tell. @throws MissingBlob when it is absent or not whole.
   */
  unaltered(digest: Digest): Promise<string>;
  /** The digest of the blob whose SHA-256 this is, when it is there. */
  withHash(hash: string): Digest | undefined;
  /** All bytes, verified. @throws MissingBlob when absent or corrupt. */
  read(digest: Digest): Promise<Uint8Array>;
}

export interface Trees {
  /** The directory with this digest, or undefined when it is not there. Reading is synchronous and cached. */
  get(digest: Digest): Directory | undefined;
  /**
   * The node at a path inside a tree (see parseTreePath), or undefined. Symlinks on the way are not followed.
   * @throws MissingBlob when a directory on the way is lost.
   */
  lookup(top: Node, path: string): Node | undefined;
}

/**
 * Blobs that directories of the store name and that never came here: a worker made them, and they stayed with its server. One
 * that is neither here nor among them is lost.
 */
export interface LeftBlobs {
  /** False when there are none at all, so that nobody has to look for them. */
  any(): boolean;
  has(digest: Digest): boolean;
  /** Where it was left; undefined for one that is here, or lost. */
  placeOf(digest: Digest): string | undefined;
}

/** New content on its way into the store. Nothing in it is visible to anyone before `commit`; dropping it leaves no trace. */
export interface Batch {
  /** Adds bytes in memory. */
  addBytes(bytes: Uint8Array, executable?: boolean): Digest;
  /** The same on other threads, for whoever adds many at once. The bytes must stay as they are until it resolves. */
  addBytesAside(bytes: Uint8Array, executable: boolean): Promise<Digest>;
  /** Adds a stream's bytes; the digest comes out, nobody passes one in. */
  addStream(
    chunks: AsyncIterable<Uint8Array>,
    options?: { readonly executable?: boolean; readonly signal?: AbortSignal },
  ): Promise<Digest>;
  /** Takes a file over by renaming it (same file system). The digest is computed from its bytes. */
  takeFile(path: string, executable: boolean): Promise<Digest>;
  /**
   * Takes a file over by renaming it (same file system), with a digest that our own code computed while it wrote the
   * file. For nothing else: the digest is believed.
   */
  adopt(path: string, digest: Digest, executable: boolean): void;
  addDirectory(directory: Directory): Digest;
  /**
   * Says that a blob stays at a place of others, who have it now: directories may name it though it is not here. Nothing is noted
   * of one that is here, or comes with this batch.
   */
  leave(digest: Digest, place: string): void;
  /** A directory that was added to this batch or is in the store already. */
  directory(digest: Digest): Directory | undefined;
  /**
   * Takes a folder over: its files are moved into the store, hard links kept apart correctly, owners, times and other
   * mode bits dropped. @throws UserError `OUTPUT_INVALID` for devices, sockets, fifos and names that are not UTF-8.
   */
  takeFolder(folder: string): Promise<Node & { kind: 'tree' }>;
  /**
   * Makes all of it durable (one file system flush shared by the batches that commit at the same moment), then visible,
   * then writes the records in one transaction.
   */
  commit(write?: (records: RecordWriter) => void): Promise<void>;
  /** Throws the content away. Safe to call after commit, where it does nothing. */
  discard(): Promise<void>;
}

/** "Action id X gave these outputs": what may be signed, and says the same on every machine. */
export interface Claim {
  /** Of the claim itself. */
  readonly format: 1;
  readonly action: Digest;
  /** At least one, by its name. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** Of what performed the action. */
  readonly revision: number;
}

/** Where a command was done, when not on this machine, and where its time went as the server says, in milliseconds. */
export interface DoneElsewhere {
  readonly executor: string;
  /** The worker's name, where servers tell. */
  readonly worker?: string | undefined;
  readonly queuedMs?: number | undefined;
  readonly fetchedMs?: number | undefined;
  readonly executedMs?: number | undefined;
  readonly uploadedMs?: number | undefined;
}

/** How a claim came about here. Says nothing about the result, and stays on this machine. */
export interface Facts {
  /** Name of the derivation that was built, for people. */
  readonly name: string;
  readonly builder: string;
  readonly durationMs: number;
  /** Processor time of its processes, in milliseconds; of a command, as far as it can be told from that of others. */
  readonly cpuMs: number | undefined;
  /** The most resident memory that its processes were seen to have together; pages they share count for each. */
  readonly peakMemoryBytes: number | undefined;
  /** Size of the files of all outputs, equal ones counted once; undefined where nothing but Merkle nodes was made. */
  readonly sizeBytes: number | undefined;
  /** When it was recorded, in milliseconds since 1970, by this machine's clock. */
  readonly builtAtMs: number;
  readonly log: Digest | undefined;
  /**
   * True when it was made in folders that an earlier build had left, or with a compile cache, and no clean build has given the
   * same yet: good for this machine, and no proof of anything ({@link isProven}).
   */
  readonly incremental?: boolean | undefined;
  /** Whose word it was taken on, by the names of their keys; not there when it was made here. */
  readonly signers?: readonly string[] | undefined;
  /** Not there when this machine did it. */
  readonly elsewhere?: DoneElsewhere | undefined;
}

/** A claim, with what is known about it here. */
export interface Realisation {
  readonly claim: Claim;
  readonly facts: Facts;
}

/** True when a clean build gave it: only then may it leave this machine, and count as checked. */
export function isProven({ facts }: Realisation): boolean {
  return facts.incremental !== true;
}

/** Which action a derivation came to, with what it was made of, so that `why` can compare. */
export interface Memo {
  readonly derivation: Digest;
  readonly action: Digest;
  readonly outputs: Readonly<Record<string, Node>>;
}

/**
 * What a name of a config came to, and where it says what that is made from. It is for people who ask why theirs is another one:
 * nothing is built, taken or left because of it.
 */
export interface Edition {
  /** `NAME@TARGET`. */
  readonly name: string;
  readonly derivation: Digest;
  /** When it was made, by the clock of the machine that says so, in milliseconds since 1970. */
  readonly builtAtMs: number;
  /** The tree that describes all steps of it, as the engine has them. */
  readonly descriptions: Digest;
}

/** The last successful version of a derivation of one config. */
export interface Lineage {
  readonly derivation: Digest;
  readonly action: Digest;
}

export interface Root {
  readonly name: string;
  /** Derivations whose outputs, and whose whole closure's outputs, are kept. */
  readonly derivations: readonly Digest[];
}

/** Small durable facts. Reading is synchronous; absence is undefined. */
export interface Records extends RecordReader {
  /** One transaction, durable when the promise resolves. */
  update(write: (records: RecordWriter) => void): Promise<void>;
}

export interface RecordReader {
  realisation(action: Digest): Realisation | undefined;
  memo(derivation: Digest): Memo | undefined;
  lineage(name: string): Lineage | undefined;
  /** The canonical record of a derivation or an action, by its digest. */
  description(digest: Digest): CborValue | undefined;
  hasDescription(digest: Digest): boolean;
  /** Differs from what it was once descriptions, cached values or directories have been taken away, by whomever. */
  deletions(): string;
  /** When a derivation was last wanted or done, in milliseconds since 1970, as far as that was recorded. */
  lastUse(derivation: Digest): number | undefined;
  /** Last measured wall time of a derivation by lineage, in milliseconds. */
  duration(lineage: string): number | undefined;
  root(name: string): Root | undefined;
  roots(): Iterable<Root>;
  /** What others signed about a derivation, as it came: this machine may hand it on, and never signs in their place. */
  signed(derivation: Digest): readonly Uint8Array[];
  /** A cached evaluation, or another value that can be computed again, by key. */
  cached(key: string): CborValue | undefined;
}

export interface RecordWriter {
  putRealisation(realisation: Realisation): void;
  /**
   * It also counts as a use of the derivation. `signed`: what others signed about it, where it is theirs; it was found out here
   * when not given, and what others signed before is forgotten.
   */
  putMemo(memo: Memo, signed?: readonly Uint8Array[]): void;
  /** Says that a derivation is used now: collections with limits keep what was used last, and what that is made from. */
  markUsed(derivation: Digest): void;
  putLineage(name: string, lineage: Lineage): void;
  putDescription(digest: Digest, description: CborValue): void;
  /** The same for a description that was encoded already, by `encodeCbor`. */
  putEncodedDescription(digest: Digest, encoded: Uint8Array): void;
  putDuration(lineage: string, durationMs: number): void;
  putRoot(root: Root): void;
  removeRoot(name: string): void;
  putCached(key: string, value: CborValue): void;
}

export interface Locks {
  /** The lock, unless somebody else who lives holds `key`, in this process or another. */
  tryAcquire(key: string): Promise<Lock | HeldLock>;
  /**
   * Waits until nobody else holds `key`, in this process or another; a holder that has died is replaced.
   * `onWait` is called once, with who holds it, when there is something to wait for.
   */
  acquire(
    key: string,
    options?: { readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void },
  ): Promise<Lock>;
}

export interface Lock {
  readonly kind: 'lock';
  release(): Promise<void>;
}

/** Somebody else has the lock. */
export interface HeldLock {
  readonly kind: 'held';
  /** Who, for people. */
  readonly holder: string;
  /** Resolves once nobody has it for a moment. @throws the signal's reason */
  freed(signal: AbortSignal): Promise<void>;
}

/** Folders that persist between the builds of one lineage, with copies of the sources that they are made from. */
export interface KeptFolders {
  /**
   * The folders of a lineage with their sources brought up to date, unless somebody else has them. What cannot be relied on
   * is thrown away first: what was ended in the middle, was made under another key, by another version, under a clock that
   * was set back, or was not flushed before the machine stopped.
   * @throws MissingBlob for content of a source; UserError `DISK_FULL`
   */
  take(wish: KeptWish): Promise<Kept | HeldLock>;
  /** Throws the folders of a lineage away, once nobody has them. */
  forget(lineage: string): Promise<void>;
}

export interface KeptWish {
  readonly lineage: string;
  /** Of everything that the folders' content depends on, but the content of the sources. */
  readonly key: Digest;
  /** By path in the step. */
  readonly sources: Readonly<Record<string, Node>>;
}

/** Kept folders that are one's own until they are released. */
export interface Kept {
  readonly kind: 'kept';
  /** Where each source lies, by its path in the step; nobody may write to it. A symlink lies nowhere. */
  readonly sources: ReadonlyMap<string, string>;
  /** True when nothing of it differs from what a clean build sees. */
  readonly isPristine: boolean;
  /** What changed in the sources since the last success, as absolute paths in the step; undefined: all of it. */
  readonly changed: readonly string[] | undefined;
  /** Puts the folders, where there are any, in place of these empty ones. */
  lend(places: readonly string[]): void;
  /**
   * Takes them back, or as they are now for the first time. A command that failed by itself has left what its inputs make
   * of it; one that was ended from outside, `broken`, may have left anything: then they are not kept.
   */
  takeBack(places: readonly string[], end: 'succeeded' | 'failed' | 'broken'): Promise<void>;
  /** To be called in any case. What is lent by then is not kept. */
  release(): Promise<void>;
}

/** Folders in which a program keeps what compilers gave, from one build of a lineage to the next. */
export interface CompileCaches {
  /**
   * The folder of a lineage, one's own until it is released; undefined when somebody else has it. The program may be ended at
   * any moment, and has to find damage by itself. @throws UserError `DISK_FULL`
   */
  take(wish: CompileCacheWish): Promise<CompileCache | undefined>;
  /** Throws the folder of a lineage away, once nobody has it. */
  forget(lineage: string): Promise<void>;
}

export interface CompileCacheWish {
  readonly lineage: string;
  /** What the folders of all lineages may take together: beyond it those go that were used longest ago. */
  readonly maxBytes: number;
}

export interface CompileCache {
  /** Where it lies. */
  readonly path: string;
  /** To be called in any case. */
  release(): Promise<void>;
}

export interface Maintenance {
  /** Hashes everything again and looks whether records keep their word. Changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /** Takes damage out of the way and forgets what led to it, so that it is built again. */
  setAside(damages: readonly Damage[]): Promise<SetAside>;
  /** What no root keeps and the limits do not spare, and what it would cost to have it again. Deletes only when executed. */
  planGc(limits?: GcLimits): Promise<GcPlan>;
  /**
   * Forgets what an action is said to have given, and what was memoised from that: the derivations that came to it, and all
   * that need them. What those gave stays true of their own actions. Gives the derivations.
   */
  forgetResult(action: Digest): Promise<readonly Digest[]>;
  /**
   * Collects garbage, last used last, if the store has grown larger than this: to be asked after each build, since asking
   * costs little. Gives what was deleted, if it came to that. @throws the signal's reason
   */
  keepToSize(maxBytes: number, signal?: AbortSignal): Promise<GcStats | undefined>;
  usage(): Promise<Usage>;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

export interface VerifyReport {
  readonly steps: readonly VerifyStep[];
  readonly damages: readonly Damage[];
  /** What realisations promise and what was left elsewhere: no damage, and not here. */
  readonly left: readonly LeftAt[];
}

/** Blobs that were left at one place. */
export interface LeftAt {
  readonly place: string;
  readonly files: number;
  readonly sizeBytes: number;
}

/** One part of a verification: how much was looked at, and for how long. */
export interface VerifyStep {
  readonly name: 'records' | 'blobs' | 'directories' | 'trees' | 'realisations';
  readonly durationMs: number;
  readonly checked: number;
  readonly sizeBytes: number;
}

export type Damage =
  /** A file in `blobs/` whose bytes are not what its name says. */
  | { readonly kind: 'blob'; readonly path: string; readonly name: string }
  /** A record that is not what was written. */
  | { readonly kind: 'record'; readonly table: DurableTable; readonly key: string }
  /** A directory record that is not what its digest says. */
  | { readonly kind: 'directory'; readonly digest: Digest }
  /** A materialised folder that does not have its tree's content; it is only a copy. */
  | { readonly kind: 'tree'; readonly path: string }
  /** Content that a realisation (of the step `wantedBy`) promises and that is not there. */
  | { readonly kind: 'missing'; readonly digest: Digest; readonly wantedBy: string };

/** What came of mending a database that the store could not be opened with. */
export interface DatabaseRepair {
  /** Records that are whole, and were kept. */
  readonly kept: number;
  /** What was found damaged, for people. */
  readonly damages: readonly string[];
  /** Where the damaged file is now. */
  readonly keptAs: string;
}

export interface SetAside {
  /** Derivations whose outputs held damaged content, and are not up to date any more. */
  readonly derivations: readonly Digest[];
}

/** What is spared of what no root keeps; without limits, nothing. Used last goes last, together with what it is made from. */
export interface GcLimits {
  /** Only so much goes that the store takes at most this room. */
  readonly maxBytes?: number;
  /** What was used since then stays in any case; in milliseconds since 1970. */
  readonly usedSinceMs?: number;
}

export interface GcPlan {
  readonly stats: GcStats;
  /** The builds whose results would go, with how long each took. */
  readonly lost: readonly { readonly name: string; readonly durationMs: number }[];
  /** Deletes what is garbage by then, while others use the store. May be ended at any moment. @throws the signal's reason */
  execute(signal?: AbortSignal): Promise<GcStats>;
}

export interface GcStats {
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly realisations: number;
  /** How long building the deleted results took, all together, in milliseconds. */
  readonly rebuildMs: number;
  /** Kept folders and compile caches. Their files are counted in `sizeBytes`, and not in `blobs`. */
  readonly keptFolders: number;
  /** The room that the store takes afterwards, by the sizes of its files. Measured only where a size was asked for. */
  readonly keptBytes: number | undefined;
}

export interface Usage {
  readonly parts: readonly { readonly name: string; readonly files: number; readonly sizeBytes: number }[];
  /** The kept folders and compile caches, which are the parts `work` and `compile-caches`. */
  readonly kept: readonly KeptUsage[];
  /** What takes no room here, since it was left elsewhere. */
  readonly left: readonly LeftAt[];
  readonly sizeBytes: number;
}

/** What a lineage's kept folders and sources take, or its compile cache. */
export interface KeptUsage {
  readonly part: 'work' | 'compile-caches';
  /** The step's name; `?` when nobody can tell. */
  readonly name: string;
  readonly files: number;
  readonly sizeBytes: number;
  /** In milliseconds since 1970. */
  readonly usedAtMs: number;
}

export interface ImportOptions {
  /** Further ignore patterns, in `.gitignore` syntax: they outrank those of files. */
  readonly exclude?: readonly string[];
  /** What may have changed: nothing else is looked at. All of the folder is when not given. */
  readonly changes?: FolderChanges;
  readonly signal?: AbortSignal;
}

/**
 * What somebody saw who has watched the folder without a gap since before an import of it began. Who may have missed
 * something gives none at all.
 */
export interface FolderChanges {
  /** `seen` of that import. It does not count when the folder was imported anew since, by whomever: then all is looked at. */
  readonly since: string;
  /** Absolute. A folder's path stands for what is in it too. */
  readonly paths: readonly string[];
}

export interface ImportResult {
  readonly node: Node & { kind: 'tree' };
  readonly files: number;
  /** Files whose bytes had to be read. */
  readonly filesRead: number;
  /** Names what this import saw of the folder; for `FolderChanges`. */
  readonly seen: string;
}

/** What an import of a folder leaves out, asked path by path. Paths are absolute, and in the folder. */
export interface ImportRules {
  /** The folder without symbolic links. */
  readonly folder: string;
  /** True for a path that no import has; what is not there may be asked for as well. */
  leavesOut(path: string, isDirectory: boolean): boolean;
  /** True for a path in the folder that decides what else of it is left out. */
  decides(path: string): boolean;
  /** Paths outside the folder, or in a repository, that do so too. */
  deciding(): readonly string[];
  /** Reads the rules again, and gives what is equal as long as those of the folder itself, and of its repository, are. */
  readAgain(): string;
}

/** Content that should be there is not, or is damaged (and was set aside). Its producer has to be run again. */
export class MissingBlob extends Error {
  override readonly name = 'MissingBlob';
  readonly digest: Digest;
  /** All that is missing, as far as it was looked for; that one is among them. */
  readonly digests: ReadonlySet<Digest>;

  constructor(digest: Digest, { others = [], ...options }: MissingBlobOptions = {}) {
    super(`blob ${digest} is missing from the store`, options);
    this.digest = digest;
    this.digests = new Set([digest, ...others]);
  }
}

export interface MissingBlobOptions extends ErrorOptions {
  readonly others?: Iterable<Digest>;
}
