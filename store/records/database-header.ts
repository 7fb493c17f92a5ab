// The first two pages of an LMDB file: its meta pages, each the head of one committed state. Reads without LMDB, which takes
// damage for what it says and may end the process with a signal.
// Format: mdb.c of the LMDB that the `lmdb` package brings (data version 2), little-endian. A page begins with u64 its number,
// u64 transaction, u16 pad, u16 flags, u32 bounds. A meta page goes on with u32 magic, u32 version, u64 address, u64 map size,
// two 48-byte tree heads (of free pages, and of tables), u64 last page, u64 transaction.

import { fstatSync, readSync } from 'node:fs';

/** Bytes that a page begins with. */
export const pageHeaderBytes = 24;

/** The head of a tree of pages: u32 pad, u16 flags, u16 depth, then u64 each. */
export interface TreeHead {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** Undefined when it is empty. */
  readonly root: number | undefined;
}
export const treeHeadBytes = 48;

/** One committed state of a database. */
export interface Meta {
  readonly pageBytes: number;
  readonly freePages: TreeHead;
  readonly tables: TreeHead;
  readonly lastPage: number;
  readonly transaction: number;
}

const magic = 0xbeefc0de;
const dataVersion = 2;
const metaFlag = 0x08;
const metaBytes = pageHeaderBytes + 24 + 2 * treeHeadBytes + 16;
const noPage = 0xffff_ffff_ffff_ffffn;
const pageSizes = [4096, 8192, 16384, 32768];

/** Both meta pages, each undefined when it is damaged. */
export function readMetas(file: number): readonly [Meta | undefined, Meta | undefined] {
  const first = readMeta(file, 0);
  const second = pageSizes
    .filter((bytes) => first === undefined || first.pageBytes === bytes)
    .map((bytes) => readMeta(file, bytes))
    .find((meta) => meta !== undefined);
  // The size is asked last: pages are written before the meta page that names them.
  const { size } = fstatSync(file);
  const isWithin = (meta: Meta | undefined): boolean =>
    meta !== undefined &&
    [meta.freePages, meta.tables].every(({ root }) => root === undefined || root < size / meta.pageBytes);
  return [isWithin(first) ? first : undefined, isWithin(second) ? second : undefined];
}

function readMeta(file: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(metaBytes);
  readSync(file, bytes, 0, metaBytes, at);
  const pageBytes = bytes.readUInt32LE(48);
  const isMeta =
    bytes.readUInt16LE(18) === metaFlag &&
    bytes.readUInt32LE(24) === magic &&
    bytes.readUInt32LE(28) === dataVersion &&
    pageSizes.includes(pageBytes) &&
    [0, pageBytes].includes(at);
  const freePages = readTreeHead(bytes, 48);
  const tables = readTreeHead(bytes, 48 + treeHeadBytes);
  const lastPage = Number(bytes.readBigUInt64LE(48 + 2 * treeHeadBytes));
  const transaction = Number(bytes.readBigUInt64LE(56 + 2 * treeHeadBytes));
  if (!isMeta || freePages === undefined || tables === undefined) return undefined;
  if (![lastPage, transaction].every(Number.isSafeInteger)) return undefined;
  return { pageBytes, freePages, tables, lastPage, transaction };
}

/** A tree's head, or undefined when it cannot be one. */
export function readTreeHead(bytes: Buffer, at: number): TreeHead | undefined {
  const counts = [8, 16, 24, 32].map((offset) => Number(bytes.readBigUInt64LE(at + offset)));
  const root = bytes.readBigUInt64LE(at + 40);
  if (![...counts, root === noPage ? 0 : Number(root)].every(Number.isSafeInteger)) return undefined;
  const [branchPages, leafPages, overflowPages, entries] = counts as [number, number, number, number];
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    branchPages,
    leafPages,
    overflowPages,
    entries,
    root: root === noPage ? undefined : Number(root),
  };
}
