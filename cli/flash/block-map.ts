// Which blocks of a disk hold something: a .bmap file read. Pure; github.com/yoctoproject/bmaptool, format 2.0. It is XML, of
// which only what that format has is understood.

import { UserError } from '../../store/base/errors.ts';

/** A piece of a file. */
export interface Range {
  readonly startByte: number;
  readonly sizeBytes: number;
  /** SHA-256 of what is there, in hex, when it is known beforehand. */
  readonly sha256: string | undefined;
}

const rangePattern = /<Range(?:\s+chksum="([0-9a-f]{64})")?\s*>\s*(\d+)(?:\s*-\s*(\d+))?\s*<\/Range>/g;

/**
 * The mapped ranges in order. `what` is what the file is called in an error.
 * @throws UserError `OUTPUT_INVALID` when it is not a block map for a file of `sizeBytes`.
 */
export function parseBlockMap(text: string, { what, sizeBytes }: MappedFile): readonly Range[] {
  const blockBytes = numberIn(text, 'BlockSize');
  const isRead = /<bmap\s+version="[12]\./.test(text) && blockBytes !== undefined && blockBytes > 0;
  if (!isRead) throw invalid(`${what} is not a block map`);
  if (numberIn(text, 'ImageSize') !== sizeBytes) throw invalid(`${what} is the map of another file`);
  const ranges = [...text.matchAll(rangePattern)].map(([, sha256, first, last = first]): Range => {
    const startByte = Number(first) * blockBytes;
    const endByte = Math.min((Number(last) + 1) * blockBytes, sizeBytes);
    return { startByte, sizeBytes: endByte - startByte, sha256 };
  });
  let end = 0;
  for (const range of ranges) {
    if (range.startByte < end || range.sizeBytes <= 0) throw invalid(`${what}: its ranges are out of order`);
    end = range.startByte + range.sizeBytes;
  }
  if (ranges.length === 0) throw invalid(`${what} maps nothing`);
  return ranges;
}

export interface MappedFile {
  readonly what: string;
  readonly sizeBytes: number;
}

function numberIn(text: string, element: string): number | undefined {
  const found = new RegExp(`<${element}>\\s*(\\d+)\\s*</${element}>`).exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

function invalid(message: string): UserError {
  return new UserError('OUTPUT_INVALID', message, { hint: 'Build the image again.' });
}
