// Where a disk's partitions lie, by its first bytes: MBR and GPT (UEFI Specification 2.10, chapter 5). Pure; extended partitions
// are seen as one.

export interface PartitionTable {
  /** The sectors that the table counts in. An MBR says nothing of it, and is made for 512. */
  readonly sectorBytes: number;
  readonly partitions: readonly Extent[];
}

export interface Extent {
  readonly startByte: number;
  readonly sizeBytes: number;
}

/** How much of a disk's beginning `parsePartitionTable` wants: a GPT of 128 entries behind sectors of 4,096 bytes. */
export const partitionTableBytes = 32_768;

const gptSignature = 'EFI PART';

/** Undefined when there is no table. */
export function parsePartitionTable(first: Buffer): PartitionTable | undefined {
  if (first.length < partitionTableBytes) return undefined;
  const sectorBytes = [512, 4096].find((at) => first.toString('latin1', at, at + 8) === gptSignature);
  if (sectorBytes !== undefined) return { sectorBytes, partitions: gptPartitions(first, sectorBytes) };
  const partitions = mbrPartitions(first);
  return partitions.length === 0 ? undefined : { sectorBytes: 512, partitions };
}

function gptPartitions(first: Buffer, sectorBytes: number): Extent[] {
  const entries = Number(first.readBigUInt64LE(sectorBytes + 72)) * sectorBytes;
  const [count, entryBytes] = [first.readUInt32LE(sectorBytes + 80), first.readUInt32LE(sectorBytes + 84)];
  const found: Extent[] = [];
  for (let number = 0; number < count; number++) {
    const entry = entries + number * entryBytes;
    if (entry + 48 > first.length) break;
    if (first.subarray(entry, entry + 16).every((byte) => byte === 0)) continue;
    const [start, last] = [first.readBigUInt64LE(entry + 32), first.readBigUInt64LE(entry + 40)];
    found.push({
      startByte: Number(start) * sectorBytes,
      sizeBytes: Number(last - start + 1n) * sectorBytes,
    });
  }
  return found;
}

// The first sector of a FAT file system ends like an MBR; what it has in place of entries is none.
function mbrPartitions(first: Buffer): Extent[] {
  if (first.readUInt16LE(510) !== 0xaa55) return [];
  const entries = [0, 1, 2, 3].map((number) => first.subarray(446 + number * 16, 462 + number * 16));
  if (entries.some((entry) => (entry[0]! & 0x7f) !== 0)) return [];
  return entries
    .filter((entry) => entry[4] !== 0 && entry.readUInt32LE(8) > 0)
    .map((entry) => ({
      startByte: entry.readUInt32LE(8) * 512,
      sizeBytes: entry.readUInt32LE(12) * 512,
    }));
}
