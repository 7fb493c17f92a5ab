// Where the readers of all formats hand over entries: names are checked, contents kept, the tree built. Knows no format.

import { ArchiveTree } from './archive-tree.ts';
import type { ContentFolder } from './content-folder.ts';
import { parseEntryName, type EntryPath } from './entry-path.ts';
import type { OutputMeter, UnpackLimits } from './limits.ts';
import type { Listing } from './listing.ts';

export interface SinkOptions {
  readonly strip: number;
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

/** Entries that lose all their parts to `strip` vanish. Every method throws BadArchive for what may not be. */
export class EntrySink {
  readonly #options: SinkOptions;
  readonly #tree: ArchiveTree;

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#tree = new ArchiveTree(options.limits);
  }

  folder(name: string): void {
    const path = this.#path(name);
    if (path !== undefined) this.#tree.addFolder(path);
  }

  async file({ name, executable, sizeBytes, chunks }: FileEntry): Promise<void> {
    const path = this.#path(name);
    this.#options.meter.expect(name, sizeBytes);
    // What is stripped away is not read: whoever hands over entries goes on to the next.
    if (path === undefined) return;
    this.#tree.checkPlace(path, 'file');
    this.#tree.addFile(path, await this.#options.contents.add(chunks, { sizeBytes, executable }));
  }

  symlink(name: string, target: string): void {
    const path = this.#path(name);
    if (path !== undefined) this.#tree.addSymlink(path, target);
  }

  hardLink(name: string, targetName: string): void {
    const path = this.#path(name);
    // A target that is stripped away is as good as missing.
    const target = this.#path(targetName) ?? { name: targetName, parts: [''] };
    if (path !== undefined) this.#tree.addLink(path, target);
  }

  listing(): Listing {
    return { contents: this.#options.contents.contents, directories: this.#tree.listing() };
  }

  #path(name: string): EntryPath | undefined {
    return parseEntryName(name, this.#options.strip, this.#options.limits);
  }
}
