// Which format a file has, by its first bytes. Names and suffixes play no part.

export type Format = 'deb' | 'zip' | Compression | 'plain';
export type Compression = 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'zstd';

/** How many first bytes are needed to tell. */
export const signatureBytes = 14;

const signatures: readonly (readonly [Format, RegExp])[] = [
  ['deb', /^!<arch>\n/],
  // A local file header, or the end record of an archive without entries (APPNOTE 4.3.7, 4.3.16).
  ['zip', /^PK(\x03\x04|\x05\x06)/],
  ['gzip', /^\x1f\x8b/],
  ['bzip2', /^BZh[1-9]/],
  ['xz', /^\xfd7zXZ\x00/],
  // A frame, or a skippable frame (RFC 8878 §3.1).
  ['zstd', /^(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/],
];

/** `plain` is anything else: a tar that is not compressed, or no archive at all. */
export function formatOf(head: Buffer): Format {
  const text = head.subarray(0, signatureBytes).toString('latin1');
  const found = signatures.find(([, signature]) => signature.test(text))?.[0];
  return found ?? (isLzmaHead(head) ? 'lzma' : 'plain');
}

/** Of an .lzma: properties, dictionary size, size of what comes out. */
const lzmaHeaderBytes = 13;

// It has no signature. These are the rules that liblzma knows a header by; the first byte of the data behind it is zero.
function isLzmaHead(head: Buffer): boolean {
  if (head.length <= lzmaHeaderBytes || head[0]! >= 9 * 5 * 5 || head[lzmaHeaderBytes] !== 0) return false;
  const size = head.readBigUInt64LE(5);
  return isDictionarySize(head.readUInt32LE(1)) && (size < 2n ** 38n || size === 2n ** 64n - 1n);
}

// A power of two, or one and a half times that; at least what encoders make.
function isDictionarySize(bytes: number): boolean {
  const power = 2 ** Math.floor(Math.log2(bytes));
  return bytes >= 4096 && (bytes === power || bytes === power * 1.5 || bytes === 2 ** 32 - 1);
}
