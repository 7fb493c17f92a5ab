// Watches places of this machine, and tells what has changed in them. It may tell too much, and says so when it may have
// told too little. What is watched is looked over each time that the places are told again: then it notices what the kernel
// does not tell. Knows nothing of what is built.

import { realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import type { ImportRules } from '../../store/index.ts';
import { identityAt, queuedEvents, type WatchEvents } from './directory-events.ts';
import { NameWatch, type WatchedNames } from './name-watch.ts';
import { distinct, folderKey, type Places, type WatchedFolder } from './places.ts';
import { TreeWatch } from './tree-watch.ts';
import type { Changed } from './watch-machine.ts';

export interface FileWatcherOptions {
  /** What an import of a folder leaves out. */
  readonly rulesOf: (folder: WatchedFolder) => Promise<ImportRules>;
  /** The store: what changes in it is nobody's edit. */
  readonly store: string;
  readonly onChange: (changes: Changed) => void;
  /** The same for what is no reason to do anything. */
  readonly onAside: (paths: ReadonlySet<string>) => void;
  /** Something may have changed unseen. */
  readonly onUnsure: () => void;
  /** It cannot go on. */
  readonly onError: (error: Error) => void;
}

/** Of the events that the kernel keeps, so many at once are taken for a sign that it dropped some. */
const fullShare = 0.5;

export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #store: string;
  readonly #trees = new Map<string, TreeWatch>();
  readonly #names = new Map<string, NameWatch>();
  readonly #full = queuedEvents() * fullShare;
  /** By path: the trees of which it decides what is left out. */
  #decided = new Map<string, TreeWatch[]>();
  #changed = new Set<string>();
  #eventsAtOnce = 0;
  #isTelling = false;
  #isClosed = false;
  /** How often it is being told what to watch. */
  #turns = 0;
  #turn = Promise.resolve();

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#store = realpathSync(options.store);
  }

  /** How many folders are watched for all that is in them. */
  get folders(): number {
    return [...this.#trees.values()].reduce((sum, tree) => sum + tree.size, 0);
  }

  /** From now on these are watched, and nothing else. */
  watch(places: Places): Promise<void> {
    this.#turns++;
    const turn = this.#turn
      .then(() => this.#watch(places))
      .finally(() => {
        this.#turns--;
      });
    this.#turn = turn;
    return turn;
  }

  /** True when all that is to be watched is watched. */
  isReady(): boolean {
    return this.#turns === 0 && this.#watches().every((watch) => watch.isReady);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    await this.#closeAll();
  }

  async #watch({ files, folders }: Places): Promise<void> {
    if (this.#isClosed) return;
    // Watches of one folder share what they are made of, so that none can be made anew alone.
    const isSound = this.#watches().every((watch) => watch.isSound());
    if (!isSound) await this.#closeAll();
    await this.#watchTrees(distinct(folders));
    const deciding = this.#decidingPaths();
    await this.#watchNames([...files, ...folders.map(({ path }) => path), ...deciding]);
    for (const tree of this.#trees.values()) tree.survey();
  }

  async #watchTrees(folders: readonly WatchedFolder[]): Promise<void> {
    const wanted = new Map(folders.map((folder) => [folderKey(folder), folder]));
    await closeOthers(this.#trees, wanted);
    for (const [key, folder] of wanted) {
      if (this.#trees.has(key)) continue;
      const rules = await this.#rulesOf(folder);
      if (rules === undefined) continue;
      const isForeign = (path: string): boolean => path === this.#store;
      this.#trees.set(key, new TreeWatch({ path: folder.path, rules, isForeign }, this.#events()));
    }
  }

  // A folder that is not there, or whose rules cannot be read, is watched by its name until it can.
  async #rulesOf(folder: WatchedFolder): Promise<ImportRules | undefined> {
    try {
      return statSync(folder.path).isDirectory() ? await this.#options.rulesOf(folder) : undefined;
    } catch (error) {
      if (error instanceof UserError || isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'))
        return undefined;
      throw error;
    }
  }

  #decidingPaths(): Iterable<string> {
    this.#decided = new Map();
    for (const tree of this.#trees.values())
      for (const path of tree.rules.deciding())
        this.#decided.set(path, [...(this.#decided.get(path) ?? []), tree]);
    return this.#decided.keys();
  }

  async #watchNames(paths: Iterable<string>): Promise<void> {
    const wanted = namesByFolder(paths);
    await closeOthers(this.#names, wanted);
    for (const [folder, names] of wanted) {
      const watch = this.#names.get(folder);
      if (watch === undefined) this.#names.set(folder, new NameWatch(folder, names, this.#events()));
      else watch.names = names;
    }
  }

  #events(): WatchEvents {
    return {
      onEvent: () => this.#count(),
      onChange: (path) => this.#note(path),
      onAside: (path) => this.#options.onAside(new Set([path])),
      onUnsure: () => this.#options.onUnsure(),
      onError: (error) => {
        if (error instanceof UserError) this.#options.onError(error);
        else this.#options.onUnsure();
      },
    };
  }

  #note(path: string): void {
    const trees = this.#decided.get(path);
    if (trees === undefined) this.#changed.add(path);
    // Git writes its index again and again; what that changes for a folder is told by the rules.
    else for (const tree of trees) this.#reconsider(tree);
    this.#tellSoon();
  }

  #reconsider(tree: TreeWatch): void {
    try {
      tree.reconsiderRules();
    } catch (error) {
      if (!(error instanceof UserError) && !isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
      tree.outdate();
    }
  }

  #count(): void {
    this.#eventsAtOnce++;
    this.#tellSoon();
  }

  // What comes in one go is told in one.
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#tell();
    });
  }

  #tell(): void {
    const isFull = this.#eventsAtOnce >= this.#full;
    const changed = this.#changed;
    this.#eventsAtOnce = 0;
    this.#changed = new Set();
    if (this.#isClosed) return;
    if (isFull) for (const tree of this.#trees.values()) tree.outdate();
    if (isFull) this.#options.onChange('anything');
    else if (changed.size > 0) this.#options.onChange(changed);
  }

  #watches(): readonly (TreeWatch | NameWatch)[] {
    return [...this.#trees.values(), ...this.#names.values()];
  }

  async #closeAll(): Promise<void> {
    await closeOthers(this.#trees, new Map());
    await closeOthers(this.#names, new Map());
  }
}

async function closeOthers(
  watches: Map<string, { close(): Promise<void> }>,
  wanted: ReadonlyMap<string, unknown>,
): Promise<void> {
  for (const [key, watch] of watches) {
    if (wanted.has(key)) continue;
    watches.delete(key);
    await watch.close();
  }
}

// What is in a folder that is not there is waited for at the nearest one that is.
function namesByFolder(paths: Iterable<string>): ReadonlyMap<string, WatchedNames> {
  const folders = new Map<string, Map<string, Set<string>>>();
  for (const path of paths) {
    let [folder, name] = [dirname(path), basename(path)];
    while (identityAt(folder) === undefined && folder !== '/')
      [folder, name] = [dirname(folder), basename(folder)];
    const real = realpathSync(folder);
    const names = folders.get(real) ?? new Map<string, Set<string>>();
    folders.set(real, names.set(name, (names.get(name) ?? new Set()).add(path)));
  }
  return folders;
}
