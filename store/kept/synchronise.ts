// Brings a kept copy of a tree from one content to another. make(1) goes by times: so what is unchanged is not touched, and
// what is changed is a new file with a new time, the same for all. Compares Merkle trees, so that the cost is that of what
// changed; reads no file that is not copied.

import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { removeAny } from '../base/remove-tree.ts';
import { canonicalAtimeSeconds } from '../layout.ts';
import { MissingBlob } from '../store.ts';
import { sameNode, type Directory, type Node, type TreeNode } from '../trees/tree.ts';
import {
  copyAll,
  toCopy,
  writeBlob,
  writeTree,
  type BlobToCopy,
  type WriteTreeContext,
} from '../trees/write-tree.ts';

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/** Makes a source where nothing is yet: with the times that steps see of it in a clean build. @throws MissingBlob */
export async function fillSource(node: Node, path: string, context: WriteTreeContext): Promise<void> {
  if (node.kind === 'tree') await writeTree(node.digest, path, context);
  else if (node.kind === 'blob') await writeBlob(node, path, context);
}

export interface Renewal {
  readonly before: Node;
  readonly after: Node;
  /** Where `before` is. */
  readonly path: string;
  /** The time of whatever changes, in seconds since 1970. */
  readonly seconds: number;
}

/**
 * Gives the paths of files and links that are not as they were, each after `/` and relative to the top, '' for itself;
 * undefined when that cannot be told any more.
 * @throws MissingBlob; then what is at `path` may be anything
 */
export async function synchronise(
  { before, after, path, seconds }: Renewal,
  context: WriteTreeContext,
): Promise<readonly string[] | undefined> {
  const work = new Synchronisation(context, seconds);
  await work.renew(before, after, { path, name: '' });
  await work.finish();
  return work.changed();
}

interface Place {
  readonly path: string;
  readonly name: string;
}

class Synchronisation {
  readonly #context: WriteTreeContext;
  readonly #seconds: number;
  readonly #files: BlobToCopy[] = [];
  readonly #links: string[] = [];
  /** Folders whose entries change, an outer one before those in it. */
  readonly #folders: string[] = [];
  readonly #changed = new Set<string>();
  #isKnown = true;
  #looks = 0;

  constructor(context: WriteTreeContext, seconds: number) {
    this.#context = context;
    this.#seconds = seconds;
  }

  changed(): readonly string[] | undefined {
    return this.#isKnown ? [...this.#changed] : undefined;
  }

  async renew(before: Node, after: Node, place: Place): Promise<void> {
    if (sameNode(before, after)) return;
    if (++this.#looks % entriesATurn === 0) await setImmediate();
    const old = before.kind === 'tree' ? this.#context.trees.get(before.digest) : undefined;
    if (old === undefined || after.kind !== 'tree') return this.#replace(before, after, place);
    const young = this.#directory(after);
    if (hasOtherEntries(old, young)) this.#folders.push(place.path);
    for (const [name, node] of old) {
      if (young.has(name)) continue;
      const child = childOf(place, name);
      this.#list(node, child);
      removeAny(child.path);
    }
    for (const [name, node] of young) {
      const [child, known] = [childOf(place, name), old.get(name)];
      if (known === undefined) await this.#make(node, child);
      else await this.renew(known, node, child);
    }
  }

  /** Copies what is to be copied, and sets the times. */
  async finish(): Promise<void> {
    await copyAll(this.#files, this.#context);
    for (const { to } of this.#files) utimesSync(to, canonicalAtimeSeconds, this.#seconds);
    for (const link of this.#links) lutimesSync(link, canonicalAtimeSeconds, this.#seconds);
    for (const folder of this.#folders.reverse()) utimesSync(folder, canonicalAtimeSeconds, this.#seconds);
  }

  async #replace(before: Node, after: Node, place: Place): Promise<void> {
    this.#list(before, place);
    removeAny(place.path);
    await this.#make(after, place);
  }

  async #make(node: Node, place: Place): Promise<void> {
    if (++this.#looks % entriesATurn === 0) await setImmediate();
    if (node.kind !== 'tree') this.#changed.add(place.name);
    if (node.kind === 'blob') this.#files.push(toCopy(node, place.path, this.#context.layout));
    else if (node.kind === 'symlink') {
      symlinkSync(node.target, place.path);
      this.#links.push(place.path);
    } else {
      mkdirSync(place.path, 0o700);
      chmodSync(place.path, this.#context.directoryMode);
      this.#folders.push(place.path);
      const directory = this.#directory(node);
      if (directory.size === 0) this.#changed.add(place.name);
      for (const [name, child] of directory) await this.#make(child, childOf(place, name));
    }
  }

  // Everything below a node that goes.
  #list(node: Node, place: Place): void {
    const directory = node.kind === 'tree' ? this.#context.trees.get(node.digest) : undefined;
    if (node.kind === 'tree' && directory === undefined) this.#isKnown = false;
    if (directory === undefined || directory.size === 0) this.#changed.add(place.name);
    for (const [name, child] of directory ?? []) this.#list(child, childOf(place, name));
  }

  #directory({ digest }: TreeNode): Directory {
    const directory = this.#context.trees.get(digest);
    if (directory !== undefined) return directory;
    this.#context.onLoss(digest);
    throw new MissingBlob(digest);
  }
}

function childOf({ path, name }: Place, entry: string): Place {
  return { path: `${path}/${entry}`, name: `${name}/${entry}` };
}

// A folder has another time when an entry of its own came, went or was replaced, as in any folder.
function hasOtherEntries(old: Directory, young: Directory): boolean {
  if (old.size !== young.size) return true;
  return [...young].some(([name, node]) => {
    const before = old.get(name);
    return (
      before === undefined || (!sameNode(before, node) && !(before.kind === 'tree' && node.kind === 'tree'))
    );
  });
}
