// A program as the kernel takes it, from instructions and the data that follows them: ELF for x86_64, loaded as one piece,
// elf(5). Knows no instruction. Pure.

/** Where the piece is loaded, of which the file's headers are the beginning. */
const loadedAt = 0x400000;
const headerBytes = 64;
const segmentBytes = 56;
const headersBytes = headerBytes + segmentBytes;

const rights = { execute: 1, write: 2, read: 4 } as const;

/** A program that begins with the first byte of `instructions`; `data` stands behind them at {@link dataAddress}. */
export function machineProgram(
  instructions: Buffer,
  data: Buffer,
  { isWritable = false }: { readonly isWritable?: boolean } = {},
): Buffer {
  const size = BigInt(headersBytes + instructions.length + data.length);
  const header = Buffer.alloc(headerBytes);
  // 64 bits, little-endian, current version.
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(62, 18); // x86_64
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadedAt + headersBytes), 24);
  header.writeBigUInt64LE(BigInt(headerBytes), 32);
  header.writeUInt16LE(headerBytes, 52);
  header.writeUInt16LE(segmentBytes, 54);
  header.writeUInt16LE(1, 56);
  const segment = Buffer.alloc(segmentBytes);
  segment.writeUInt32LE(1, 0); // to be loaded
  segment.writeUInt32LE(rights.read | rights.execute | (isWritable ? rights.write : 0), 4);
  segment.writeBigUInt64LE(BigInt(loadedAt), 16);
  segment.writeBigUInt64LE(BigInt(loadedAt), 24);
  segment.writeBigUInt64LE(size, 32);
  segment.writeBigUInt64LE(size, 40);
  segment.writeBigUInt64LE(4096n, 48);
  return Buffer.concat([header, segment, instructions, data]);
}

/** The address of the data behind so many bytes of instructions. */
export function dataAddress(instructionBytes: number): number {
  return loadedAt + headersBytes + instructionBytes;
}
