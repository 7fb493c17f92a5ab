// Trees as folders: directories made, files hard-linked from the blobs. Built aside and renamed into place, so a folder
// in `trees/` is always whole.

import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import { isCanonical, makeCanonical, type FileBlobs } from '../content/blobs.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { canonicalMtimeSeconds, directoryMode, treePath, type Layout } from '../layout.ts';
import { removeTree } from '../base/remove-tree.ts';
import { MissingBlob, type Trees } from '../store.ts';
import type { BlobNode } from './tree.ts';

export interface MaterialiseContext {
  /** Told when a directory turns out to be gone. */
  readonly onLoss: (digest: Digest) => void;
  readonly layout: Layout;
  readonly blobs: FileBlobs;
  readonly trees: Trees;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: () => string;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/** The folder with a tree's content, made unless it is there. @throws MissingBlob */
export async function materialiseTree(tree: Digest, context: MaterialiseContext): Promise<string> {
  const path = treePath(context.layout, tree);
  if (existsSync(path)) return path;
  const part = context.freshPath();
  try {
    await new TreeWriter(context).write(tree, part);
    renameSync(part, path);
  } catch (error) {
    removeTree(part);
    // Another process was quicker; its folder is as good.
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw explainWriteError(error, context.layout.root);
  }
  return path;
}

class TreeWriter {
  readonly #context: MaterialiseContext;
  #written = 0;

  constructor(context: MaterialiseContext) {
    this.#context = context;
  }

  async write(tree: Digest, path: string): Promise<void> {
    const directory = this.#context.trees.get(tree);
    if (directory === undefined) {
      this.#context.onLoss(tree);
      throw new MissingBlob(tree);
    }
    mkdirSync(path);
    chmodSync(path, directoryMode); // whatever the umask
    for (const [name, node] of directory) {
      if (++this.#written % entriesATurn === 0) await setImmediate();
      const child = `${path}/${name}`;
      if (node.kind === 'tree') await this.write(node.digest, child);
      else if (node.kind === 'blob') await this.#link(node, child);
      else {
        symlinkSync(node.target, child);
        lutimesSync(child, canonicalMtimeSeconds, canonicalMtimeSeconds);
      }
    }
    utimesSync(path, canonicalMtimeSeconds, canonicalMtimeSeconds);
  }

  async #link({ digest, executable }: BlobNode, path: string): Promise<void> {
    const { blobs } = this.#context;
    const found = blobs.find(digest, executable);
    const source =
      found !== undefined && isCanonical(found.stats, executable)
        ? found.path
        : await blobs.path(digest, executable);
    try {
      linkSync(source, path);
    } catch (error) {
      // A file system bounds the links to one file (ext4: 65,000), and the empty file alone may reach that.
      if (!isErrno(error, 'EMLINK')) throw error;
      copyFileSync(source, path, constants.COPYFILE_FICLONE);
      makeCanonical(path, executable);
    }
  }
}
