// What a file is that is no archive for cairn, as people call it, so that nobody looks for damage. By first bytes alone.

import type { FileRange } from './file-range.ts';

const signatures: readonly (readonly [name: string, at: number, signature: RegExp])[] = [
  ['a 7-Zip archive', 0, /^7z\xbc\xaf\x27\x1c/],
  ['a RAR archive', 0, /^Rar!\x1a\x07/],
  ['a cpio archive', 0, /^(07070[127]|\xc7\x71|\x71\xc7)/],
  ['an RPM package', 0, /^\xed\xab\xee\xdb/],
  ['a xar archive', 0, /^xar!/],
  ['a Debian package of the format before 2.0', 0, /^0\.93\d*\n/],
  ['an lzip file', 0, /^LZIP/],
  ['a compress (.Z) file', 0, /^\x1f\x9d/],
  ['an lz4 file', 0, /^\x04\x22\x4d\x18/],
  ['an lzop file', 0, /^\x89LZO/],
  ['a squashfs image', 0, /^(hsqs|sqsh)/],
  ['an ISO 9660 image', 0x8001, /^CD001/],
  ['a web page', 0, /^\s*<(!doctype html|html)/i],
];
const longestBytes = 64;

/** Undefined where nobody can tell. */
export function foreignFormat(file: FileRange): string | undefined {
  return signatures.find(([, at, signature]) =>
    signature.test(file.read(at, longestBytes).toString('latin1')),
  )?.[0];
}
