// Walks the trees of pages in an LMDB file, looking at each page before believing it: what LMDB finds damaged it reports at
// best; at worst it reads where nothing is, and the process is gone. What is sound is given to a visitor, what is not is
// listed. Format: see database-header.ts. A page's header is followed by u16 offsets of its nodes; a node is u16 low and u16
// high half of a size (of a page number, with the flags as its top, in a branch), u16 flags, u16 key bytes, key, data.

import { readSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { pageHeaderBytes, readTreeHead, treeHeadBytes, type Meta, type TreeHead } from './database-header.ts';

/** A record as the file has it. Its bytes are valid only during the visit. */
export interface FileRecord {
  readonly table: string;
  readonly key: Buffer;
  /** Undefined when a page that it lies on is damaged. */
  readonly value: () => Buffer | undefined;
}

const pageKinds = { branch: 0x01, leaf: 0x02, overflow: 0x04 } as const;
const nodeHeaderBytes = 8;
const nodeFlags = { none: 0, bigData: 0x01, table: 0x02 } as const;
/** Where the content of a large record lies: u64 page, u64 transaction, u64 pages. */
const largeBytes = 24;
const deepestTree = 32;
/** A tree's flag: its keys are u64. */
const integerKeys = 0x08;

/** What a walk has found. */
export interface Walked {
  /** What is damaged, for people; nothing when all is sound. */
  readonly damages: readonly string[];
  /** The tables whose head could be read. */
  readonly tables: ReadonlySet<string>;
}

/** Walks all of one state. */
export function walkDatabase(
  file: number,
  meta: Meta,
  visit: (record: FileRecord) => void = () => undefined,
): Walked {
  const walk = new Walk(file, meta);
  walk.freePages();
  walk.allTables(visit);
  return walk;
}

/** What a tree was found to be made of. */
interface Counts {
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

interface Tree {
  readonly name: string;
  readonly found: Counts;
  /** Whether a key is one that this tree can have. */
  readonly isKey: (key: Buffer) => boolean;
  readonly flags: number;
  readonly nodeFlags: readonly number[];
  readonly compare: (a: Buffer, b: Buffer) => number;
  readonly visit: (node: LeafNode) => void;
}

interface LeafNode {
  readonly key: Buffer;
  readonly flags: number;
  /** The data on the page itself. */
  readonly data: Buffer;
  readonly sizeBytes: number;
}

/** The keys below a page lie from `low` on and before `high`. */
interface Bounds {
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
}

class Walk implements Walked {
  readonly damages: string[] = [];
  readonly tables = new Set<string>();
  readonly #file: number;
  readonly #meta: Meta;
  /** One page for each level that is being read, the tree of tables and those below it counted together. */
  readonly #buffers: Buffer[] = [];
  #level = 0;
  /** Pages that belong to something already. */
  readonly #taken: Uint8Array;

  constructor(file: number, meta: Meta) {
    this.#file = file;
    this.#meta = meta;
    this.#taken = new Uint8Array(Math.min(meta.lastPage + 1, 2 ** 31));
    this.#taken.fill(1, 0, 2);
  }

  freePages(): void {
    this.#tree(this.#meta.freePages, {
      name: 'free pages',
      flags: integerKeys,
      nodeFlags: [nodeFlags.none, nodeFlags.bigData],
      isKey: (key) => key.length === 8,
      compare: (a, b) => Number(a.readBigUInt64LE() - b.readBigUInt64LE()),
      visit: (node) => this.#takeFree(node),
    });
  }

  allTables(visit: (record: FileRecord) => void): void {
    this.#tree(this.#meta.tables, {
      name: 'tables',
      flags: 0,
      nodeFlags: [nodeFlags.table],
      isKey: isUtf8,
      compare: (a, b) => a.compare(b),
      visit: ({ key, data }) => {
        const name = key.toString().replace(/\0$/, '');
        const head = data.length === treeHeadBytes ? readTreeHead(data, 0) : undefined;
        if (head === undefined) this.#note(`table ${name} has no head`);
        else this.#table(name, head, visit);
        if (head !== undefined) this.tables.add(name);
      },
    });
  }

  #table(name: string, head: TreeHead, visit: (record: FileRecord) => void): void {
    this.#tree(head, {
      name,
      flags: 0,
      nodeFlags: [nodeFlags.none, nodeFlags.bigData],
      isKey: isUtf8,
      compare: (a, b) => a.compare(b),
      visit: (node) => visit({ table: name, key: node.key, value: () => this.#valueOf(node) }),
    });
  }

  #tree(head: TreeHead, tree: Omit<Tree, 'found'>): void {
    const before = this.damages.length;
    const found: Counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    const isHead = head.flags === tree.flags && head.depth <= deepestTree;
    if (!isHead || (head.root === undefined) !== (head.depth === 0))
      this.#note(`${tree.name}: its head is damaged`);
    else if (head.root !== undefined)
      this.#page(head.root, head.depth, { low: undefined, high: undefined }, { ...tree, found });
    const isAsCounted =
      found.branchPages === head.branchPages &&
      found.leafPages === head.leafPages &&
      found.overflowPages === head.overflowPages &&
      found.entries === head.entries;
    if (this.damages.length === before && !isAsCounted)
      this.#note(`${tree.name}: something is missing that its head counts`);
  }

  /** @param height 1 for a leaf */
  #page(number: number, height: number, bounds: Bounds, tree: Tree): void {
    const kind = height > 1 ? 'branch' : 'leaf';
    const page = this.#read(number, this.#level, pageKinds[kind]);
    const nodes = page && nodesOf(page, kind);
    if (page === undefined || nodes === undefined || !this.#take(number, 1)) {
      this.#note(`${tree.name}: page ${number} is damaged`);
      return;
    }
    tree.found[`${kind}Pages`]++;
    this.#level++;
    if (kind === 'leaf') this.#leaf(page, nodes, bounds, tree);
    else this.#branch(page, nodes, { height, bounds, tree, number });
    this.#level--;
  }

  #leaf(page: Buffer, nodes: readonly number[], { low, high }: Bounds, tree: Tree): void {
    let before = low;
    for (const [at, node] of nodes.entries()) {
      const keyEnd = node + nodeHeaderBytes + page.readUInt16LE(node + 6);
      const flags = page.readUInt16LE(node + 4);
      const sizeBytes = page.readUInt32LE(node);
      const dataEnd = keyEnd + (flags === nodeFlags.bigData ? largeBytes : sizeBytes);
      const key = page.subarray(node + nodeHeaderBytes, keyEnd);
      // The least key may be the bound itself.
      const order = before === undefined ? 1 : tree.compare(key, before);
      const isInOrder = order > 0 || (at === 0 && order === 0);
      const isBelow = high === undefined || (keyEnd <= page.length && tree.compare(key, high) < 0);
      const isNode = dataEnd <= page.length && tree.nodeFlags.includes(flags) && tree.isKey(key);
      if (!isNode || !isInOrder || !isBelow) {
        this.#note(`${tree.name}: a record is damaged`);
        continue;
      }
      before = key;
      const leaf = { key, flags, data: page.subarray(keyEnd, dataEnd), sizeBytes };
      if (flags === nodeFlags.bigData && !this.#takeLarge(leaf, tree)) continue;
      tree.found.entries++;
      tree.visit(leaf);
    }
  }

  #branch(
    page: Buffer,
    nodes: readonly number[],
    { height, bounds, tree, number }: { height: number; bounds: Bounds; tree: Tree; number: number },
  ): void {
    // The first has no key: whatever lies before the second belongs below it.
    const keys = nodes.map((node, at) =>
      at === 0
        ? bounds.low
        : page.subarray(node + nodeHeaderBytes, node + nodeHeaderBytes + page.readUInt16LE(node + 6)),
    );
    if (nodes.length < 2) this.#note(`${tree.name}: page ${number} is damaged`);
    for (const [at, node] of nodes.entries()) {
      const [low, high] = [keys[at], at + 1 < keys.length ? keys[at + 1] : bounds.high];
      if ([low, high].some((key) => key !== undefined && !tree.isKey(key))) {
        this.#note(`${tree.name}: page ${number} is damaged`);
        continue;
      }
      const child = page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32;
      this.#page(child, height - 1, { low, high }, tree);
    }
  }

  #takeLarge({ data, sizeBytes }: LeafNode, tree: Tree): boolean {
    const [first, pages] = [0, 16].map((at) => Number(data.readBigUInt64LE(at))) as [number, number];
    const header = this.#read(first, this.#level, pageKinds.overflow);
    const isSound =
      Number(data.readBigUInt64LE(8)) <= this.#meta.transaction &&
      header?.readUInt32LE(20) === pages &&
      pages * this.#meta.pageBytes >= sizeBytes + pageHeaderBytes &&
      this.#take(first, pages);
    if (isSound) tree.found.overflowPages += pages;
    else this.#note(`${tree.name}: page ${first} is damaged`);
    return isSound;
  }

  #valueOf({ flags, data, sizeBytes }: LeafNode): Buffer | undefined {
    if (flags !== nodeFlags.bigData) return data;
    const value = Buffer.allocUnsafe(sizeBytes);
    const start = Number(data.readBigUInt64LE()) * this.#meta.pageBytes + pageHeaderBytes;
    return readSync(this.#file, value, 0, sizeBytes, start) === sizeBytes ? value : undefined;
  }

  // A list of u64: how many follow; then page numbers, each for itself or behind the negative number of pages from it on; a
  // zero means nothing.
  #takeFree(node: LeafNode): void {
    const list = this.#valueOf(node);
    const count = list === undefined || list.length < 8 ? undefined : Number(list.readBigUInt64LE());
    if (list === undefined || count === undefined || count * 8 + 8 > list.length) {
      this.#note('free pages: a record is damaged');
      return;
    }
    for (let at = 1; at <= count; at++) {
      const entry = Number(list.readBigInt64LE(at * 8));
      if (entry === 0) continue;
      const pages = entry < 0 ? -entry : 1;
      const first = entry < 0 && at < count ? Number(list.readBigInt64LE(++at * 8)) : entry;
      if (this.#take(first, pages)) continue;
      this.#note(`free pages: page ${first} is in use`);
      return;
    }
  }

  // False when some of these pages cannot be there or belong to something else.
  #take(first: number, pages: number): boolean {
    if (!Number.isSafeInteger(first + pages) || first < 2 || first + pages > this.#taken.length) return false;
    if (this.#taken.subarray(first, first + pages).includes(1)) return false;
    this.#taken.fill(1, first, first + pages);
    return true;
  }

  #read(number: number, level: number, kind: number): Buffer | undefined {
    const { pageBytes, lastPage } = this.#meta;
    if (number < 2 || number > lastPage) return undefined;
    const page = (this.#buffers[level] ??= Buffer.allocUnsafeSlow(pageBytes));
    if (readSync(this.#file, page, 0, pageBytes, number * pageBytes) !== pageBytes) return undefined;
    const isPage =
      Number(page.readBigUInt64LE()) === number &&
      // LMDB takes one of a later transaction for its own, and writes to it.
      Number(page.readBigUInt64LE(8)) <= this.#meta.transaction &&
      page.readUInt16LE(18) === kind;
    return isPage ? page : undefined;
  }

  #note(what: string): void {
    this.damages.push(what);
  }
}

// Where a page's nodes lie, or undefined when they cannot lie there: they fill it from `upper` on.
function nodesOf(page: Buffer, kind: 'branch' | 'leaf'): number[] | undefined {
  const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
  if (lower === 0 || lower % 2 !== 0 || lower > upper || upper > page.length - pageHeaderBytes)
    return undefined;
  const nodes: number[] = [];
  let filled = 0;
  for (let at = pageHeaderBytes; at < pageHeaderBytes + lower; at += 2) {
    const node = page.readUInt16LE(at) + pageHeaderBytes;
    if (node < upper + pageHeaderBytes || node + nodeHeaderBytes > page.length) return undefined;
    nodes.push(node);
    filled += nodeBytes(page, node, kind);
  }
  return filled === page.length - pageHeaderBytes - upper ? nodes : undefined;
}

function nodeBytes(page: Buffer, node: number, kind: 'branch' | 'leaf'): number {
  const isLarge = (page.readUInt16LE(node + 4) & nodeFlags.bigData) !== 0;
  const dataBytes = kind === 'branch' ? 0 : isLarge ? largeBytes : page.readUInt32LE(node);
  const bytes = nodeHeaderBytes + page.readUInt16LE(node + 6) + dataBytes;
  return bytes + (bytes % 2);
}
