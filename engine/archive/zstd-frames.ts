// Where a zstd file's frames lie, and the checksum each ends with (RFC 8878 §3.1). Decodes nothing.

import { malformed } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';

export interface ZstdFrame {
  readonly bytes: FileRange;
  /** The low 32 bits of the XXH64 of its content, when the frame has them. */
  readonly checksum: number | undefined;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
/** What zstd(1) takes without being told to take more. */
const largestWindowBytes = 2 ** 27;
const rleBlock = 1;
const reservedBlock = 3;

export function* zstdFrames(file: FileRange): Generator<ZstdFrame, void, undefined> {
  for (let at = 0; at < file.sizeBytes;) {
    const length = file.sizeBytes - at;
    const magic = length < 4 ? undefined : uint(file, at, 4);
    if (magic === frameMagic) {
      const frame = readFrame(file.slice(at, length));
      yield frame;
      at += frame.bytes.sizeBytes;
    } else if (magic !== undefined && (magic & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + uint(file, at + 4, 4);
      if (at > file.sizeBytes) malformed('its zstd data is cut short');
    } else {
      malformed('something other than zstd data is between or after its zstd frames');
    }
  }
}

function readFrame(file: FileRange): ZstdFrame {
  const descriptor = uint(file, 4, 1);
  let at = headerLength(file, descriptor);
  for (let isLast = false; !isLast;) {
    const block = uint(file, at, 3);
    const [type, sizeBytes] = [(block >> 1) & 3, block >> 3];
    if (type === reservedBlock) malformed('its zstd data has a block of a reserved type');
    isLast = (block & 1) === 1;
    at += 3 + (type === rleBlock ? 1 : sizeBytes);
  }
  const hasChecksum = ((descriptor >> 2) & 1) === 1;
  const end = at + (hasChecksum ? 4 : 0);
  if (end > file.sizeBytes) malformed('its zstd data is cut short');
  return { bytes: file.slice(0, end), checksum: hasChecksum ? uint(file, at, 4) : undefined };
}

// Magic, descriptor, window, dictionary id, content size: RFC 8878 §3.1.1.1.
function headerLength(file: FileRange, descriptor: number): number {
  const isSingleSegment = ((descriptor >> 5) & 1) === 1;
  if (!isSingleSegment && windowBytes(uint(file, 5, 1)) > largestWindowBytes)
    malformed('its zstd data needs more memory than cairn gives');
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const dictionaryAt = 5 + (isSingleSegment ? 0 : 1);
  if (dictionaryBytes > 0 && uint(file, dictionaryAt, dictionaryBytes) !== 0)
    malformed('its zstd data needs a dictionary that is no part of it');
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  return dictionaryAt + dictionaryBytes + contentSizeBytes;
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function uint(file: FileRange, at: number, length: number): number {
  const bytes = file.read(at, length);
  if (bytes.length < length) malformed('its zstd data is cut short');
  return bytes.readUIntLE(0, length);
}
