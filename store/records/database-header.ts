// A look at an LMDB file before LMDB maps it: damage that LMDB does not look for would end the process with a signal.
// Format: mdb.c of the LMDB that the `lmdb` package brings (data version 2). Both meta pages begin with a 24-byte page
// header, then u32 magic, u32 version, u64 address, u64 map size, two 48-byte database descriptions (the first begins
// with the page size, each ends with its root page), u64 last page, u64 transaction.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isErrno } from '../base/errors.ts';

const magic = 0xbeefc0de;
const dataVersion = 2;
const metaBytes = 24 + 24 + 96 + 16;
const noPage = 0xffff_ffff_ffff_ffffn;

/** True when there is no such file yet, or both its meta pages are as LMDB writes them. */
export function isDatabaseFile(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
  try {
    return fstatSync(file).size === 0 || hasSoundMetas(file);
  } finally {
    closeSync(file);
  }
}

// The size is read last: pages are written before the meta page that names them, so a file is never shorter than the
// meta pages read before say.
function hasSoundMetas(file: number): boolean {
  const first = readMeta(file, 0);
  const second = readMeta(file, first.readUInt32LE(48));
  const { size } = fstatSync(file);
  return isSoundMeta(first, size) && isSoundMeta(second, size);
}

function readMeta(file: number, at: number): Buffer {
  const meta = Buffer.alloc(metaBytes);
  readSync(file, meta, 0, metaBytes, at);
  return meta;
}

function isSoundMeta(meta: Buffer, fileBytes: number): boolean {
  const pageBytes = meta.readUInt32LE(48);
  const pages = BigInt(Math.floor(fileBytes / Math.max(pageBytes, 512)));
  const roots = [meta.readBigUInt64LE(48 + 40), meta.readBigUInt64LE(96 + 40)];
  return (
    meta.readUInt32LE(24) === magic &&
    meta.readUInt32LE(28) === dataVersion &&
    roots.every((root) => root === noPage || root < pages)
  );
}
