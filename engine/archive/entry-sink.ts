// Where the readers of all formats hand over entries: names are checked, contents kept, the tree built. Knows no format.

import picomatch from 'picomatch';
import { ArchiveTree } from './archive-tree.ts';
import type { ContentFolder } from './content-folder.ts';
import { shown, stripped } from './bad-archive.ts';
import { parseEntryName, type EntryPath } from './entry-path.ts';
import type { OutputMeter, UnpackLimits } from './limits.ts';
import type { Listing } from './listing.ts';

export interface SinkOptions {
  /** How many leading parts names lose; without it, an only top folder is recognised in the end, and left out. */
  readonly strip: number | undefined;
  readonly exclude: readonly string[];
  readonly limits: UnpackLimits;
  readonly contents: ContentFolder;
  readonly meter: OutputMeter;
}

export interface FileEntry {
  readonly name: string;
  readonly executable: boolean;
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Only folders may lose all their parts to `strip`. Every method throws BadArchive for what may not be. */
export class EntrySink {
  readonly #options: SinkOptions;
  readonly #tree: ArchiveTree;
  readonly #isExcluded: ((path: string) => boolean) | undefined;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#tree = new ArchiveTree(options.limits);
    if (options.exclude.length > 0) this.#isExcluded = picomatch([...options.exclude], { dot: true });
  }

  /**
   * Whether an entry is not wanted, because of its own name or a folder's that it is in; then nothing else of it is to
   * be looked at. Globs see names without what says nothing: leading and double slashes, and `.`.
   */
  leavesOut(name: string): boolean {
    if (this.#isExcluded === undefined) return false;
    let path = '';
    for (const part of name.split('/')) {
      if (part === '' || part === '.') continue;
      path = path === '' ? part : `${path}/${part}`;
      if (this.#isExcluded(path)) return true;
    }
    return false;
  }

  folder(name: string): void {
    const path = this.#path(name);
    if (path !== undefined) this.#tree.addFolder(path);
  }

  async file({ name, executable, sizeBytes, chunks }: FileEntry): Promise<void> {
    const path = this.#filePath(name, 'file');
    this.#options.meter.expect(name, sizeBytes);
    this.#tree.checkPlace(path, 'file');
    this.#tree.addFile(path, await this.#options.contents.add(chunks, { sizeBytes, executable }));
  }

  symlink(name: string, target: string): void {
    this.#tree.addSymlink(this.#filePath(name, 'symlink'), target);
  }

  hardLink(name: string, targetName: string): void {
    const path = this.#filePath(name, 'hard link');
    // A target that is stripped away is as good as missing.
    const target = this.#path(targetName) ?? { name: targetName, parts: [''], lost: '' };
    this.#tree.addLink(path, target);
  }

  listing(): Listing {
    const { contents, strip } = this.#options;
    return { contents: contents.contents, directories: this.#tree.listing(strip === undefined) };
  }

  #path(name: string): EntryPath | undefined {
    return parseEntryName(name, this.#options.strip ?? 0, this.#options.limits);
  }

  #filePath(name: string, kind: string): EntryPath {
    return (
      this.#path(name) ??
      stripped(`its ${kind} ${shown(name)} would lose its whole name to strip: ${this.#options.strip}`)
    );
  }
}
