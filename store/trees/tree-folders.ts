// Folders with the content of trees, and files with that of blobs: made aside, sealed, renamed into place, and looked at
// once by each process before it trusts one that is there. One place for sandboxes, another for people, who may do with
// theirs what they like. Knows nothing of who uses them.

import { existsSync, renameSync } from 'node:fs';
import { digestHash } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { removeAny, removeTree } from '../base/remove-tree.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { alterationOf, makeSeal, type Alteration, type SealedContent } from './seal.ts';
import type { Node } from './tree.ts';
import { writeBlob, writeTree, type WriteTreeContext } from './write-tree.ts';

export type ContentNode = Exclude<Node, { kind: 'symlink' }>;

export interface TreeFoldersOptions extends WriteTreeContext {
  /** The folder they lie in. */
  readonly place: string;
  /** Ends each name: what was made for one user shows another's files to the next. */
  readonly suffix: string;
  /** A path on the store's file system where nothing is yet. */
  readonly freshPath: (label: string) => string;
  /** Told of a folder that somebody has altered, before it is made anew. */
  readonly onAltered: (node: ContentNode, alteration: Alteration) => Promise<void>;
}

/** The content in an entry of a place. */
export const contentName = 'content';
export const sealName = 'seal';

/** What an entry of a place is called. */
export function entryName(node: ContentNode, suffix: string): string {
  const isProgram = node.kind === 'blob' && node.executable;
  return `${digestHash(node.digest)}${isProgram ? '.x' : ''}${suffix}`;
}

/** What the name of an entry says: the SHA-256 part of its content's digest, and whether that is a program. */
export interface EntryName {
  readonly hash: string;
  readonly isProgram: boolean;
}

/** The opposite of {@link entryName}; undefined for a name that it does not give. */
export function parseEntryName(name: string): EntryName | undefined {
  const match = /^([0-9a-f]{64})(\.x)?(-[0-9]+)?$/.exec(name);
  return match === null ? undefined : { hash: match[1]!, isProgram: match[2] !== undefined };
}

/** The SHA-256 part of the digest whose content an entry holds. */
export function entryHash(name: string): string {
  return name.slice(0, 64);
}

/** What an entry holds, for looking whether it was altered. */
export function sealedContent(entry: string, node: ContentNode, directoryMode: number): SealedContent {
  return { path: `${entry}/${contentName}`, seal: `${entry}/${sealName}`, node, directoryMode };
}

/** So many are not looked at again by this process: one that stays open makes others with every build. */
const rememberedEntries = 5000;

export class TreeFolders {
  readonly #options: TreeFoldersOptions;
  readonly #known = new Map<string, Promise<string>>();

  constructor(options: TreeFoldersOptions) {
    this.#options = options;
  }

  /** The path of a node's content, made unless it is there and whole. @throws MissingBlob */
  async path(node: ContentNode): Promise<string> {
    const name = entryName(node, this.#options.suffix);
    const known = await this.#known.get(name);
    if (known !== undefined && existsSync(known)) return known;
    const path = this.#wholePath(node, `${this.#options.place}/${name}`);
    this.#remember(name, path);
    path.catch(() => this.#known.delete(name));
    return path;
  }

  #remember(name: string, path: Promise<string>): void {
    this.#known.set(name, path);
    if (this.#known.size <= rememberedEntries) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }

  async #wholePath(node: ContentNode, entry: string): Promise<string> {
    const { directoryMode, layout } = this.#options;
    const sealed = sealedContent(entry, node, directoryMode);
    try {
      if (existsSync(entry)) await this.#replaceIfAltered(sealed, entry);
      if (!existsSync(entry)) await this.#make(node, entry);
    } catch (error) {
      throw explainWriteError(error, layout.root);
    }
    return sealed.path;
  }

  async #replaceIfAltered(sealed: SealedContent, entry: string): Promise<void> {
    const alteration = await alterationOf(sealed, this.#options.trees);
    if (alteration === undefined) return;
    discardEntry(entry, this.#options.freshPath('altered'));
    if (alteration.paths.length > 0) await this.#options.onAltered(sealed.node, alteration);
  }

  async #make(node: ContentNode, entry: string): Promise<void> {
    const part = this.#options.freshPath('tree');
    const content = `${part}/${contentName}`;
    try {
      makeFolder(part);
      if (node.kind === 'tree') await writeTree(node.digest, content, this.#options);
      else await writeBlob(node, content, this.#options);
      makeSeal(`${part}/${sealName}`, content);
      renameSync(part, entry);
    } catch (error) {
      removeTree(part);
      // Another process was quicker; its folder is as good.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

/** Takes an entry away and deletes it: renamed first, so that nobody ever finds half of one. */
export function discardEntry(entry: string, aside: string): void {
  if (!renameIfThere(entry, aside)) return;
  try {
    removeAny(aside);
  } catch (error) {
    // Another user's: whoever sweeps what is aside may be that user.
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
  }
}

/** For folders that only this user's steps are run on: another user's files would show as nobody's. */
export function userSuffix(): string {
  return `-${process.getuid?.() ?? 0}`;
}
