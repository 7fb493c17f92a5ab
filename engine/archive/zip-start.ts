// Where in a file a zip archive starts: most start with the file, but a program that unpacks itself has one behind it.
// Goes by the end record (APPNOTE 4.3.16, for zip64 4.3.14), as every reader of zip does; reads no entry.

import type { FileRange } from './file-range.ts';

const endBytes = 22;
const longestCommentBytes = 0xffff;
/** The record and the locator that zip64 has between the central directory and the end record. */
const zip64Bytes = 56 + 20;

const directoryEntry = 'PK\x01\x02';
const endRecord = 'PK\x05\x06';
const zip64Record = 'PK\x06\x06';

/**
 * How many bytes come before the archive, which its offsets do not count; undefined when the file does not end in a zip
 * archive. Where the offsets are right as they are, it is 0, whatever is before the first entry.
 */
export function zipStart(file: FileRange): number | undefined {
  const end = findEnd(file);
  if (end === undefined) return undefined;
  const { at, count, sizeBytes, offset } = end;
  const start = at - sizeBytes - offset;
  if (count === 0) return 0;
  return [0, start].find((bytes) => bytes >= 0 && signature(file, bytes + offset) === directoryEntry);
}

interface DirectoryEnd {
  /** Where the central directory ends. */
  readonly at: number;
  readonly count: number;
  readonly sizeBytes: number;
  /** Where it starts, counted from the archive's start. */
  readonly offset: number;
}

function findEnd(file: FileRange): DirectoryEnd | undefined {
  const tailBytes = Math.min(file.sizeBytes, endBytes + longestCommentBytes);
  const tail = file.read(file.sizeBytes - tailBytes, tailBytes);
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.toString('latin1', at, at + 4) !== endRecord) continue;
    if (tail.readUInt16LE(at + 20) !== tail.length - endBytes - at) continue;
    const endAt = file.sizeBytes - tailBytes + at;
    return zip64End(file, endAt - zip64Bytes) ?? plainEnd(tail.subarray(at), endAt);
  }
  return undefined;
}

function plainEnd(record: Buffer, at: number): DirectoryEnd {
  const [count, sizeBytes, offset] = [
    record.readUInt16LE(10),
    record.readUInt32LE(12),
    record.readUInt32LE(16),
  ];
  return { at, count, sizeBytes, offset };
}

function zip64End(file: FileRange, at: number): DirectoryEnd | undefined {
  if (at < 0 || signature(file, at) !== zip64Record) return undefined;
  const record = file.read(at, zip64Bytes);
  const [count, sizeBytes, offset] = [32, 40, 48].map((field) => Number(record.readBigUInt64LE(field)));
  return { at, count: count!, sizeBytes: sizeBytes!, offset: offset! };
}

function signature(file: FileRange, at: number): string {
  return file.read(at, 4).toString('latin1');
}
