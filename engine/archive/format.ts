// Which format a file has, by its first bytes. Names and suffixes play no part.

export type Format = 'deb' | 'zip' | Compression | 'plain';
export type Compression = 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'zstd';

/** How many first bytes are needed to tell. */
export const signatureBytes = 8;

const signatures: readonly (readonly [Format, RegExp])[] = [
  ['deb', /^!<arch>\n/],
  // A local file header, or the end record of an archive without entries (APPNOTE 4.3.7, 4.3.16).
  ['zip', /^PK(\x03\x04|\x05\x06)/],
  ['gzip', /^\x1f\x8b/],
  ['bzip2', /^BZh[1-9]/],
  ['xz', /^\xfd7zXZ\x00/],
  // .lzma has no signature: the usual properties byte, and a dictionary of 2^n bytes.
  ['lzma', /^\x5d\x00\x00.[\x00-\x08]/s],
  // A frame, or a skippable frame (RFC 8878 §3.1).
  ['zstd', /^(\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)/],
];

/** `plain` is anything else: a tar that is not compressed, or no archive at all. */
export function formatOf(head: Buffer): Format {
  const text = head.subarray(0, signatureBytes).toString('latin1');
  return signatures.find(([, signature]) => signature.test(text))?.[0] ?? 'plain';
}
