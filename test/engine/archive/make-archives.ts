// Archives made byte by byte, so that they can be wrong in every way. Formats: POSIX ustar, ar(5), deb(5), APPNOTE, RFC 8878.

import { crc32, deflateRawSync } from 'node:zlib';
import xxhash from 'xxhash-wasm';

const xxh = await xxhash();

export interface TarEntry {
  readonly name: string | Buffer;
  readonly data?: string | Buffer;
  /** One of the type flags of a header; '0' is a file. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  /** What the header says, where that is not the data's length. */
  readonly size?: number;
  readonly checksum?: number;
  /** `ustar\0` and `00`, unless told otherwise. */
  readonly magic?: string;
}

/** The two blocks of zeros a tar ends in. */
export const tarEnd = Buffer.alloc(1024);

export function tarOf(entries: readonly TarEntry[], end: Buffer = tarEnd): Buffer {
  return Buffer.concat([...entries.flatMap(tarBlocks), end]);
}

export function tarBlocks(entry: TarEntry): Buffer[] {
  const data = Buffer.from(entry.data ?? '');
  return [tarHeader(entry, data.length), data, Buffer.alloc(-data.length & 511)];
}

function tarHeader(entry: TarEntry, length: number): Buffer {
  const header = Buffer.alloc(512);
  Buffer.from(entry.name).copy(header, 0, 0, 100);
  header.write(octal(entry.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  const size = entry.size ?? length;
  if (size >= 0 && size < 8 ** 11) header.write(octal(size, 11), 124);
  else writeBase256(header, size);
  header.write(octal(0, 11), 136);
  header.write(entry.type ?? '0', 156);
  header.write(entry.link ?? '', 157, 100);
  header.write(entry.magic ?? 'ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  header.write(`${octal(entry.checksum ?? header.reduce((sum, byte) => sum + byte), 6)}\0 `, 148, 'latin1');
  return header;
}

// GNU tar's form of numbers that octal digits cannot give.
function writeBase256(header: Buffer, size: number): void {
  header.fill(size < 0 ? 0xff : 0, 124, 128);
  header[124]! |= 0x80;
  header.writeBigInt64BE(BigInt(size), 128);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** A pax extended header for the entry that follows it. */
export function paxEntry(records: Readonly<Record<string, string | Buffer>>): TarEntry {
  return { name: 'pax', type: 'x', data: Buffer.concat(Object.entries(records).map(paxRecord)) };
}

// "LENGTH KEY=VALUE\n", where the length counts itself.
function paxRecord([key, value]: [string, string | Buffer]): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

export interface ArMember {
  readonly name: string;
  readonly data: Buffer;
  readonly size?: string;
  readonly magic?: string;
}

export function arOf(members: readonly ArMember[]): Buffer {
  const parts = members.flatMap(({ name, data, size = String(data.length), magic = '`\n' }) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${size.padEnd(10)}${magic}`;
    return [Buffer.from(header), data, Buffer.from(data.length % 2 === 1 ? '\n' : '')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

export const debVersion: ArMember = { name: 'debian-binary', data: Buffer.from('2.0\n') };
export const debControl: ArMember = { name: 'control.tar', data: tarEnd };

export function debOf(data: Buffer, name = 'data.tar'): Buffer {
  return arOf([debVersion, debControl, { name, data }]);
}

export interface ZipEntry {
  readonly name: string | Buffer;
  readonly data?: string | Buffer;
  /** A Unix mode with its type bits. */
  readonly mode?: number;
  /** Who made it: 3 is Unix, 19 OS X. */
  readonly host?: number;
  readonly isDeflated?: boolean;
  /** How it is compressed otherwise (APPNOTE 4.4.5), and what is stored then. */
  readonly method?: number;
  readonly stored?: Buffer;
  /** What the records say, where that is not so. */
  readonly size?: number;
  readonly checksum?: number;
  readonly flags?: number;
}

export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const records: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, central } = zipRecords(entry, offset);
    files.push(local);
    records.push(central);
    offset += local.length;
  }
  const directory = Buffer.concat(records);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, directory, end]);
}

function zipRecords(entry: ZipEntry, offset: number): { local: Buffer; central: Buffer } {
  const name = Buffer.from(entry.name);
  const plain = Buffer.from(entry.data ?? '');
  const stored = entry.stored ?? (entry.isDeflated === true ? deflateRawSync(plain) : plain);
  // Both records have these 26 bytes in common: version needed … extra field length (APPNOTE 4.3.7, 4.3.12).
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(entry.flags ?? 0x800, 2);
  common.writeUInt16LE(entry.method ?? (entry.isDeflated === true ? 8 : 0), 4);
  common.writeUInt32LE(entry.checksum ?? crc32(plain), 10);
  common.writeUInt32LE(stored.length, 14);
  common.writeUInt32LE(entry.size ?? plain.length, 18);
  common.writeUInt16LE(name.length, 22);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  return {
    local: Buffer.concat([Buffer.from('PK\x03\x04'), common, name, stored]),
    central: Buffer.concat([Buffer.from('PK\x01\x02\x14'), Buffer.of(entry.host ?? 3), common, rest, name]),
  };
}

// A frame's magic; descriptor: no content size, with or without checksum; a window of 128 KiB (RFC 8878 §3.1.1.1).
const frameStart = Buffer.from('28b52ffd0038', 'hex');
const checkedFrameStart = Buffer.from('28b52ffd0438', 'hex');
const blockBytes = 128 * 1024;
const rawBlock = 0;
const rleBlock = 1;

/** A zstd frame of raw blocks, with a checksum: valid, though nothing gets smaller. */
export function zstdOf(plain: Buffer): Buffer {
  const parts: Buffer[] = [checkedFrameStart];
  for (let at = 0; at < plain.length; at += blockBytes) {
    const block = plain.subarray(at, at + blockBytes);
    parts.push(blockHeader(rawBlock, block.length, at + blockBytes >= plain.length), block);
  }
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(Number(xxh.create64().update(plain).digest() & 0xffff_ffffn));
  return Buffer.concat([...parts, checksum]);
}

/** Zeros in four bytes for each 128 KiB. */
export function zstdZeros(sizeBytes: number): Buffer {
  const count = Math.ceil(sizeBytes / blockBytes);
  const block = Buffer.concat([blockHeader(rleBlock, blockBytes, false), Buffer.alloc(1)]);
  const last = Buffer.concat([
    blockHeader(rleBlock, sizeBytes - (count - 1) * blockBytes, true),
    Buffer.alloc(1),
  ]);
  return Buffer.concat([frameStart, ...Array<Buffer>(count - 1).fill(block), last]);
}

function blockHeader(type: number, sizeBytes: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(sizeBytes * 8 + type * 2 + (isLast ? 1 : 0), 0, 3);
  return header;
}
