// Where in a file a zip archive lies: most are all of it, but a program that unpacks itself has one behind it, and other
// things have come behind some.
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
 * The archive without what comes before it, which its offsets do not count, and what comes behind it; undefined when the
 * file has no zip archive at its end. Where the offsets are right as they are, nothing is before it, whatever comes before
 * the first entry.
 */
export function zipRange(file: FileRange): FileRange | undefined {
  for (const { at, count, sizeBytes, offset, end } of findEnds(file)) {
    const starts = count === 0 ? [0] : [0, at - sizeBytes - offset];
    const start = starts.find(
      (bytes) => bytes >= 0 && (count === 0 || signature(file, bytes + offset) === directoryEntry),
    );
    if (start !== undefined) return file.slice(start, end - start);
  }
  return undefined;
}

interface DirectoryEnd {
  /** Where the central directory ends. */
  readonly at: number;
  /** Where the archive ends, with its comment. */
  readonly end: number;
  readonly count: number;
  readonly sizeBytes: number;
  /** Where it starts, counted from the archive's start. */
  readonly offset: number;
}

// The last record first; one whose comment is all that follows it before one that has more behind it.
function findEnds(file: FileRange): readonly DirectoryEnd[] {
  const tailBytes = Math.min(file.sizeBytes, endBytes + longestCommentBytes);
  const tail = file.read(file.sizeBytes - tailBytes, tailBytes);
  const found: DirectoryEnd[] = [];
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.toString('latin1', at, at + 4) !== endRecord) continue;
    const endAt = file.sizeBytes - tailBytes + at;
    const end = endAt + endBytes + tail.readUInt16LE(at + 20);
    if (end > file.sizeBytes) continue;
    const directory = zip64End(file, endAt - zip64Bytes) ?? plainEnd(tail.subarray(at), endAt);
    found.push({ ...directory, end });
  }
  const isExact = ({ end }: DirectoryEnd): boolean => end === file.sizeBytes;
  return [...found.filter(isExact), ...found.filter((end) => !isExact(end))];
}

function plainEnd(record: Buffer, at: number): Omit<DirectoryEnd, 'end'> {
  const [count, sizeBytes, offset] = [
    record.readUInt16LE(10),
    record.readUInt32LE(12),
    record.readUInt32LE(16),
  ];
  return { at, count, sizeBytes, offset };
}

function zip64End(file: FileRange, at: number): Omit<DirectoryEnd, 'end'> | undefined {
  if (at < 0 || signature(file, at) !== zip64Record) return undefined;
  const record = file.read(at, zip64Bytes);
  const [count, sizeBytes, offset] = [32, 40, 48].map((field) => Number(record.readBigUInt64LE(field)));
  return { at, count: count!, sizeBytes: sizeBytes!, offset: offset! };
}

function signature(file: FileRange, at: number): string {
  return file.read(at, 4).toString('latin1');
}
