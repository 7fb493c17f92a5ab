// An entry of UEFI's boot manager as its variable holds it (UEFI Specification 2.10, 3.1.3, 10.3.5), and the partition that one
// names, by the partition table. Pure.

export interface BootEntry {
  readonly description: string;
  /** The program's path on its partition, with "/"; undefined when the entry names none. */
  readonly path: string | undefined;
}

/** A partition as an entry names it. */
export interface PartitionIdentity {
  readonly table: 'mbr' | 'gpt';
  readonly number: number;
  /** In the disk's own sectors. */
  readonly startSector: bigint;
  readonly sectors: bigint;
  /** 16 bytes: its GUID, or the disk's id of an MBR. */
  readonly signature: Buffer;
}

/** Kept by the firmware, and there before and after the start of a system. */
const attributes = 0x07;
const active = 0x01;
const media = 0x04;
const [hardDrive, filePath] = [0x01, 0x04];
const end = Buffer.from([0x7f, 0xff, 0x04, 0x00]);

/** The variable's bytes, attributes in front, as efivarfs takes them. */
export function formatBootEntry(
  { description, path }: { readonly description: string; readonly path: string },
  partition: PartitionIdentity,
): Buffer {
  const place = Buffer.alloc(38);
  place.writeUInt32LE(partition.number, 0);
  place.writeBigUInt64LE(partition.startSector, 4);
  place.writeBigUInt64LE(partition.sectors, 12);
  partition.signature.copy(place, 20);
  const kind = partition.table === 'mbr' ? 1 : 2;
  place.set([kind, kind], 36);
  const file = Buffer.from(`\\${path.replaceAll('/', '\\')}\0`, 'utf16le');
  const paths = Buffer.concat([node(hardDrive, place), node(filePath, file), end]);
  const head = Buffer.alloc(10);
  head.writeUInt32LE(attributes, 0);
  head.writeUInt32LE(active, 4);
  head.writeUInt16LE(paths.length, 8);
  return Buffer.concat([head, Buffer.from(`${description}\0`, 'utf16le'), paths]);
}

/** BootNext's bytes. */
export function formatBootNumber(number: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt32LE(attributes, 0);
  bytes.writeUInt16LE(number, 4);
  return bytes;
}

/** Undefined for what is no entry. */
export function parseBootEntry(variable: Buffer): BootEntry | undefined {
  if (variable.length < 12) return undefined;
  const pathsBytes = variable.readUInt16LE(8);
  let at = 10;
  while (at + 2 <= variable.length && variable.readUInt16LE(at) !== 0) at += 2;
  const description = variable.toString('utf16le', 10, at);
  const paths = variable.subarray(at + 2, at + 2 + pathsBytes);
  return { description, path: fileIn(paths) };
}

function fileIn(paths: Buffer): string | undefined {
  for (let at = 0; at + 4 <= paths.length;) {
    const length = paths.readUInt16LE(at + 2);
    if (length < 4 || paths[at] === end[0]) return undefined;
    if (paths[at] === media && paths[at + 1] === filePath) {
      const text = paths.toString('utf16le', at + 4, at + length).replace(/\0.*$/s, '');
      return text.replaceAll('\\', '/').replace(/^\//, '');
    }
    at += length;
  }
  return undefined;
}

function node(kind: number, data: Buffer): Buffer {
  const head = Buffer.from([media, kind, 0, 0]);
  head.writeUInt16LE(4 + data.length, 2);
  return Buffer.concat([head, data]);
}

/** The partition of a disk that begins like this; undefined when its table does not have it there. */
export function partitionIdentity(
  first: Buffer,
  wanted: { readonly number: number; readonly startByte: number; readonly sizeBytes: number },
): PartitionIdentity | undefined {
  if (first.length < 512 || wanted.number < 1) return undefined;
  const found = gptPartition(first, wanted.number) ?? mbrPartition(first, wanted.number);
  if (found === undefined) return undefined;
  const { sectorBytes, ...identity } = found;
  const isThere =
    Number(identity.startSector) * sectorBytes === wanted.startByte &&
    Number(identity.sectors) * sectorBytes === wanted.sizeBytes;
  return isThere ? identity : undefined;
}

type Found = PartitionIdentity & { readonly sectorBytes: number };

function gptPartition(first: Buffer, number: number): Found | undefined {
  const sectorBytes = [512, 4096].find((at) => first.toString('latin1', at, at + 8) === 'EFI PART');
  if (sectorBytes === undefined || first.length < sectorBytes + 92) return undefined;
  const at =
    Number(first.readBigUInt64LE(sectorBytes + 72)) * sectorBytes +
    (number - 1) * first.readUInt32LE(sectorBytes + 84);
  if (number > first.readUInt32LE(sectorBytes + 80) || at + 48 > first.length) return undefined;
  const startSector = first.readBigUInt64LE(at + 32);
  const sectors = first.readBigUInt64LE(at + 40) - startSector + 1n;
  const signature = Buffer.from(first.subarray(at + 16, at + 32));
  return { table: 'gpt', number, startSector, sectors, signature, sectorBytes };
}

function mbrPartition(first: Buffer, number: number): Found | undefined {
  if (number > 4 || first.readUInt16LE(510) !== 0xaa55) return undefined;
  const at = 446 + (number - 1) * 16;
  const signature = Buffer.alloc(16);
  first.copy(signature, 0, 440, 444);
  return {
    table: 'mbr',
    number,
    startSector: BigInt(first.readUInt32LE(at + 8)),
    sectors: BigInt(first.readUInt32LE(at + 12)),
    signature,
    sectorBytes: 512,
  };
}
