// What imports of one folder leave out, asked path by path, for whoever watches it: the very rules of the import, so that
// both agree. What was read is remembered until it is said to have changed.

import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno } from '../base/errors.ts';
import {
  IgnoreRules,
  decidingFiles,
  isIgnoreFileName,
  isRepositoryName,
  namesOnDisk,
} from './ignore-rules.ts';
import type { ImportRules } from '../store.ts';

/** So many folders' rules are remembered; where there are none of their own, one object serves all of them. */
const rememberedFolders = 50_000;

export class FolderRules implements ImportRules {
  readonly folder: string;
  readonly #exclude: readonly string[];
  /** By folder: those in force in it; undefined for one that is left out. */
  readonly #known = new Map<string, IgnoreRules | undefined>();

  /** @throws UserError `SOURCE_UNREADABLE` when it cannot be told what git ignores; a system error without a folder. */
  constructor(folder: string, exclude: readonly string[]) {
    this.folder = realpathSync(folder);
    this.#exclude = exclude;
    this.readAgain();
  }

  readAgain(): string {
    this.#known.clear();
    return this.#within(this.folder)!.id;
  }

  deciding(): readonly string[] {
    return decidingFiles(this.folder);
  }

  decides(path: string): boolean {
    const name = basename(path);
    return isIgnoreFileName(name) || isRepositoryName(name);
  }

  leavesOut(path: string, isDirectory: boolean): boolean {
    if (path === this.folder) return false;
    const verdict = this.#within(dirname(path))?.judge(path, isDirectory);
    return verdict === undefined || verdict === 'left out';
  }

  #within(folder: string): IgnoreRules | undefined {
    if (this.#known.has(folder)) return this.#known.get(folder);
    const rules = this.#find(folder);
    if (this.#known.size >= rememberedFolders) this.#known.clear();
    this.#known.set(folder, rules);
    return rules;
  }

  #find(folder: string): IgnoreRules | undefined {
    if (folder === this.folder) return inside(folder, IgnoreRules.above(folder, this.#exclude));
    const above = this.#within(dirname(folder));
    const verdict = above?.judge(folder, true);
    if (above === undefined || verdict === 'left out') return undefined;
    return inside(folder, verdict === 'partly' ? above.partlyInside(folder) : above);
  }
}

function inside(folder: string, above: IgnoreRules): IgnoreRules {
  try {
    return above.inside(folder, namesOnDisk(folder));
  } catch (error) {
    // It has become something else meanwhile.
    if (isErrno(error, 'ENOTDIR', 'ENOENT', 'EACCES')) return above;
    throw error;
  }
}
