// One header block of a tar archive: POSIX ustar, GNU's form of it, and v7, which has no magic. Knows what the fields
// hold, not what they mean for a tree. Formats: POSIX pax ("ustar Interchange Format"), GNU tar manual ("Standard").

export interface TarHeader {
  /** As bytes: of which character set they are, nobody says. */
  readonly name: Buffer;
  /** The type flag; NUL, as in v7, is '0'. */
  readonly type: string;
  readonly mode: number;
  /** What a link points at, as bytes. */
  readonly link: Buffer;
  /** Of the data behind it; undefined when the field holds no number, or one below zero. */
  readonly sizeBytes: number | undefined;
  readonly block: Buffer;
}

/** Where a header keeps its checksum: eight bytes, which count as spaces in it. */
const checksumAt = 148;
const checksumEnd = 156;

/** A header, or what is there of one, with the right checksum. */
export function hasTarChecksum(block: Buffer): boolean {
  const checksum = checksumIn(block);
  return checksum === checksumOf(block) || checksum === checksumOf(signed(block));
}

/** The same header with the checksum that POSIX means: some old programs took bytes for signed numbers. */
export function withUsualChecksum(block: Buffer): Buffer {
  if (checksumIn(block) === checksumOf(block)) return block;
  const changed = Buffer.from(block);
  writeChecksum(changed);
  return changed;
}

function checksumIn(block: Buffer): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', checksumAt, checksumEnd));
  return digits === null ? undefined : parseInt(digits[1]!, 8);
}

function checksumOf(block: Uint8Array | Int8Array): number {
  let sum = 0;
  for (let at = 0; at < block.length; at++) sum += at >= checksumAt && at < checksumEnd ? 32 : block[at]!;
  return sum;
}

function signed(block: Buffer): Int8Array {
  return new Int8Array(block.buffer, block.byteOffset, block.length);
}

function writeChecksum(block: Buffer): void {
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, checksumAt, 'latin1');
}

/** The same header with another type and size, and the checksum of that. */
export function changedHeader(
  block: Buffer,
  { type, sizeBytes }: { readonly type: string; readonly sizeBytes: number },
): Buffer {
  const changed = Buffer.from(block);
  changed.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  changed.write(type, 156, 'latin1');
  writeChecksum(changed);
  return changed;
}

export function parseTarHeader(block: Buffer): TarHeader {
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const [name, prefix] = [textAt(block, 0, 100), textAt(block, 345, 155)];
  return {
    name: isUstar && prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156]!),
    mode: numberAt(block, 100, 8) ?? 0,
    link: textAt(block, 157, 100),
    sizeBytes: numberAt(block, 124, 12),
    block,
  };
}

/** A number in octal digits, or in GNU tar's binary form where they do not suffice. */
export function numberAt(block: Buffer, at: number, length: number): number | undefined {
  if (block[at]! >= 0x80) return binaryAt(block, at, length);
  const text = block.toString('latin1', at, at + length).replace(/^ *\0*/, '');
  const digits = /^([0-7]*)([ \0]|$)/.exec(text)?.[1];
  return digits === undefined ? undefined : parseInt(`0${digits}`, 8);
}

function binaryAt(block: Buffer, at: number, length: number): number | undefined {
  // With a first byte of 0xff it is below zero.
  if (block[at] !== 0x80) return undefined;
  const value = block.subarray(at + 1, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Bytes up to a NUL. */
function textAt(bytes: Buffer, at: number, length: number): Buffer {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}
