// The tree an archive describes, built in memory from its entries. Names exist only here, never on a disk, so nothing
// an archive calls itself can reach outside; what contradicts itself is refused all the same.

import { hostile, malformed, shown, stripped, tooLarge } from './bad-archive.ts';
import type { EntryPath } from './entry-path.ts';
import type { UnpackLimits } from './limits.ts';
import type { ListedDirectory, ListedEntry } from './listing.ts';

interface Folder {
  readonly kind: 'folder';
  readonly entries: Map<string, Item>;
}
interface File {
  readonly kind: 'file';
  /** What its name began with before it was stripped. */
  readonly lost: string;
  /** Number of its content, see ContentFolder. */
  readonly content: number;
}
interface Symlink {
  readonly kind: 'symlink';
  readonly lost: string;
  readonly target: string;
}
type Item = Folder | File | Symlink;

/** Linux's limit on what a symlink can hold (PATH_MAX). */
const longestTargetBytes = 4095;

/**
 * The rules, where an archive names one path twice: folders merge; of two files, or two symlinks, the later wins, as
 * with tar, unless they had different names before they were stripped; anything else is hostile. Names that differ only in case are different names.
 */
export class ArchiveTree {
  readonly #top = newFolder();
  readonly #limits: UnpackLimits;
  #entries = 0;

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
  }

  addFolder(path: EntryPath): void {
    this.#folder(path, path.parts.length);
  }

  addFile(path: EntryPath, content: number): void {
    this.#put(path, { kind: 'file', lost: path.lost, content });
  }

  addSymlink(path: EntryPath, target: string): void {
    if (target === '' || target.includes('\0') || Buffer.byteLength(target) > longestTargetBytes)
      malformed(`its symlink ${shown(path.name)} has no possible target`);
    this.#put(path, { kind: 'symlink', lost: path.lost, target });
  }

  /** A hard link: another name for the file (or symlink) at `target`, which must have come before. */
  addLink(path: EntryPath, target: EntryPath): void {
    const item = this.#find(target.parts);
    if (item === undefined)
      malformed(
        `its hard link ${shown(path.name)} is to ${shown(target.name)}, which does not come before it`,
      );
    if (item.kind === 'folder') malformed(`its hard link ${shown(path.name)} is to a folder`);
    this.#put(path, { ...item, lost: path.lost });
  }

  /** Refuses a path that no file could be put at, before its content is read. */
  checkPlace(path: EntryPath, kind: Item['kind']): void {
    const { folder, name } = this.#place(path);
    const there = folder.entries.get(name);
    if (there === undefined) return;
    const { lost } = path;
    if (there.kind !== 'folder' && there.lost !== lost)
      stripped(
        `with strip, its entry ${shown(path.name)} would replace one of the same name in ${shown(there.lost)}`,
      );
    if (there.kind !== kind)
      hostile(`its entry ${shown(path.name)} would replace a ${there.kind} by a ${kind}`);
  }

  /**
   * All folders, every folder after those inside it; the last one is the top: with `withoutTop` the only thing in it,
   * if that is a folder.
   */
  listing(withoutTop: boolean): ListedDirectory[] {
    const directories: ListedDirectory[] = [];
    const [only, ...others] = this.#top.entries.values();
    const hasTop = withoutTop && others.length === 0 && only?.kind === 'folder';
    list(hasTop ? only : this.#top, directories);
    return directories;
  }

  #put(path: EntryPath, item: File | Symlink): void {
    this.checkPlace(path, item.kind);
    const { folder, name } = this.#place(path);
    if (!folder.entries.has(name)) this.#count();
    folder.entries.set(name, item);
  }

  #place(path: EntryPath): { folder: Folder; name: string } {
    const name = path.parts.at(-1) ?? malformed(`its entry ${shown(path.name)} is a file without a name`);
    return { folder: this.#folder(path, path.parts.length - 1), name };
  }

  // The folder made of the first `depth` parts; those that are missing come into being.
  #folder(path: EntryPath, depth: number): Folder {
    let folder: Folder = this.#top;
    for (const part of path.parts.slice(0, depth)) {
      const item = folder.entries.get(part) ?? this.#addFolder(folder, part);
      if (item.kind !== 'folder')
        hostile(`its entry ${shown(path.name)} treats the ${item.kind} ${shown(part)} as a folder`);
      folder = item;
    }
    return folder;
  }

  #addFolder(parent: Folder, name: string): Folder {
    this.#count();
    const folder = newFolder();
    parent.entries.set(name, folder);
    return folder;
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries > this.#limits.entries) tooLarge(`it has more than ${this.#limits.entries} entries`);
  }

  #find(parts: readonly string[]): Item | undefined {
    let item: Item | undefined = this.#top;
    for (const part of parts) item = item?.kind === 'folder' ? item.entries.get(part) : undefined;
    return item;
  }
}

function newFolder(): Folder {
  return { kind: 'folder', entries: new Map() };
}

// Recursion is bounded by the limit on path parts.
function list(folder: Folder, directories: ListedDirectory[]): number {
  const entries: ListedEntry[] = [];
  for (const [name, item] of folder.entries) {
    if (item.kind === 'folder') entries.push({ name, kind: 'folder', directory: list(item, directories) });
    else if (item.kind === 'file') entries.push({ name, kind: 'file', content: item.content });
    else entries.push({ name, kind: 'symlink', target: item.target });
  }
  return directories.push({ entries }) - 1;
}
