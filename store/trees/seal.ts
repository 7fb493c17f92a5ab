// Whether a folder still is the tree it was made from. The kernel moves a file's or folder's change time (ctime) with
// everything that is done to it, and lets nobody set it: whatever changed later than the seal was altered. Only lstat is
// asked, since reading would move access times. A store that was copied elsewhere, or came back from a backup, has change
// times of that day: there the content is read, once. Knows nothing of where folders of trees are kept.

import { lstatSync, readFileSync, readlinkSync, utimesSync, writeFileSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isErrno } from '../base/errors.ts';
import { shareAlike } from '../base/make-folder.ts';
import { digestSize } from '../base/digest.ts';
import { hashFileSync } from '../content/hash-file.ts';
import { blobMode, canonicalMtimeSeconds } from '../layout.ts';
import type { Trees } from '../store.ts';
import type { Node } from './tree.ts';

/** What is not as it was made. */
export interface Alteration {
  /** Relative to the folder, '' for itself; the first few. None in a whole copy of what was sealed, whose access times are lost. */
  readonly paths: readonly string[];
  /** When the folder was last known to be as it was made, in milliseconds since 1970; 0 when that cannot be told. */
  readonly sinceMs: number;
}

export interface SealedContent {
  readonly path: string;
  readonly seal: string;
  readonly node: Exclude<Node, { kind: 'symlink' }>;
  readonly directoryMode: number;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 1000;
const namedPaths = 5;

/** The kernel stamps files with a clock that moves in steps, of 10 ms at most. */
const clockStepMs = 20;

/**
 * Seals what was made before this call. The seal's own time says until when the folder is known to be as it was made, and what
 * it says, which folder that was.
 */
export function makeSeal(path: string, content: string): void {
  writeFileSync(path, identityOf(content), { flag: 'wx' });
  shareAlike(path);
}

// A copy is another file, and was born later.
function identityOf(path: string): string {
  const { ino, birthtimeNs } = lstatSync(path, { bigint: true });
  return `${ino} ${birthtimeNs}\n`;
}

/** Whether what lies there is a copy of what was sealed. Seals of former versions do not say. */
function isCopy({ seal, path }: SealedContent): boolean {
  const sealed = readFileSync(seal, 'latin1');
  return sealed !== '' && sealed !== identityOf(path);
}

/**
 * What was altered since the folder was last known to be whole, or undefined; then it is known to be whole until now, or was
 * taken away while it was looked at.
 * Costs one lstat for each entry, and in a copy of what was sealed the reading of each file, once.
 */
export async function alterationOf(sealed: SealedContent, trees: Trees): Promise<Alteration | undefined> {
  const startedMs = Date.now() - clockStepMs;
  const seal = lstatSync(sealed.seal, { throwIfNoEntry: false });
  if (seal === undefined) return { paths: [''], sinceMs: 0 };
  const sealedMs = seal.mtimeMs;
  const copied = unlessGone(() => isCopy(sealed)) === true;
  const inspection = new Inspection({ ...sealed, sealedMs, copied }, trees);
  await inspection.look(sealed.node, sealed.path);
  // A folder that goes, goes as a whole.
  if (lstatSync(sealed.seal, { throwIfNoEntry: false })?.ino !== seal.ino) return undefined;
  if (inspection.paths.length > 0) return { paths: inspection.paths, sinceMs: sealedMs };
  if (copied) return { paths: [], sinceMs: sealedMs };
  if (startedMs > sealedMs) moveSeal(sealed.seal, startedMs / 1000);
  return undefined;
}

// Somebody else may take the folder away, as a whole, at any time.
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

// Another user's stays: what is known of the folder then is older than it could be, and true.
function moveSeal(seal: string, seconds: number): void {
  try {
    utimesSync(seal, seconds, seconds);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
  }
}

interface Inspected extends SealedContent {
  readonly sealedMs: number;
  /** Change times say nothing then: files are read. */
  readonly copied: boolean;
}

class Inspection {
  readonly #content: Inspected;
  readonly #trees: Trees;
  /** What is not as it was made: the first few. */
  readonly paths: string[] = [];
  #looks = 0;

  constructor(content: Inspected, trees: Trees) {
    this.#content = content;
    this.#trees = trees;
  }

  async look(node: Node, path: string): Promise<void> {
    if (++this.#looks % entriesATurn === 0) await setImmediate();
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !this.#isAsMade(node, stats, path)) this.#note(path);
    if (node.kind !== 'tree' || stats?.isDirectory() !== true) return;
    // A directory that is not in the store any more cannot be compared; the folder is as good as altered.
    const directory = this.#trees.get(node.digest);
    if (directory === undefined) this.#note(path);
    for (const [name, child] of directory ?? []) await this.look(child, `${path}/${name}`);
  }

  // Sizes, modes and times are asked too, should the clock have been set back in between.
  #isAsMade(node: Node, stats: Stats, path: string): boolean {
    const { copied, sealedMs } = this.#content;
    if (!copied && stats.ctimeMs > sealedMs) return false;
    if (stats.mtimeMs !== canonicalMtimeSeconds * 1000) return false;
    const mode = stats.mode & 0o7777;
    switch (node.kind) {
      case 'tree':
        return stats.isDirectory() && mode === this.#content.directoryMode;
      case 'blob':
        return (
          stats.isFile() &&
          stats.size === digestSize(node.digest) &&
          mode === blobMode(node.executable) &&
          (!copied || unlessGone(() => hashFileSync(path)) === node.digest)
        );
      case 'symlink':
        return stats.isSymbolicLink() && (!copied || readlinkSync(path) === node.target);
    }
  }

  #note(path: string): void {
    if (this.paths.length < namedPaths) this.paths.push(path.slice(this.#content.path.length + 1));
  }
}
