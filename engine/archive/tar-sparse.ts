// Sparse files in tar archives: only what is not a hole is stored, and a map says where it goes. Four forms, all GNU
// tar's: type 'S', and pax 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").

import { malformed, shown } from './bad-archive.ts';
import type { OutputMeter } from './limits.ts';
import { blockBytes, type TarBytes } from './tar-bytes.ts';
import { numberAt, type TarHeader } from './tar-header.ts';
import { decimal, paxNumber, paxValue, type PaxRecords } from './tar-pax.ts';

export interface SparseMap {
  /** In order of their offsets, none over another. */
  readonly pieces: readonly SparsePiece[];
  /** Of the file with its holes. */
  readonly sizeBytes: number;
}

interface SparsePiece {
  readonly at: number;
  readonly sizeBytes: number;
}

/** The map of an entry, when it is a sparse file. Reads what stands between header and data. */
export async function readSparseMap(
  bytes: TarBytes,
  {
    header,
    pax,
    name,
    dataBytes,
  }: {
    readonly header: TarHeader;
    readonly pax: PaxRecords;
    readonly name: string;
    readonly dataBytes: number;
  },
): Promise<SparseMap | undefined> {
  const check = (
    numbers: readonly (number | undefined)[],
    sizeBytes: number | undefined,
    storedBytes: number,
  ) =>
    checked(numbers, sizeBytes, storedBytes) ?? malformed(`its sparse file ${shown(name)} has no proper map`);
  if (header.type === 'S')
    return check(await oldMap(bytes, header.block), numberAt(header.block, 483, 12), dataBytes);
  const realBytes = paxNumber(pax, 'GNU.sparse.realsize') ?? paxNumber(pax, 'GNU.sparse.size');
  if (paxValue(pax, 'GNU.sparse.major')?.toString() === '1') {
    const { numbers, mapBytes } = await mapInData(bytes, dataBytes);
    return check(numbers, realBytes, dataBytes - mapBytes);
  }
  if (realBytes === undefined) return undefined;
  const map = paxValue(pax, 'GNU.sparse.map')?.toString('latin1').split(',').map(decimal);
  return check(map ?? mapInRecords(pax), realBytes, dataBytes);
}

/** The file, holes and all. Whoever reads it counts what holes become; what is stored has been counted. */
export async function* withHoles(
  bytes: TarBytes,
  { pieces, sizeBytes }: SparseMap,
  meter: OutputMeter,
): AsyncGenerator<Buffer, void, undefined> {
  let at = 0;
  for (const piece of [...pieces, { at: sizeBytes, sizeBytes: 0 }]) {
    for (const hole of zeros(piece.at - at)) {
      meter.add(hole.length);
      yield hole;
    }
    yield* bytes.stream(piece.sizeBytes);
    at = piece.at + piece.sizeBytes;
  }
}

const zeroBytes = Buffer.alloc(64 * 1024);

function* zeros(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= zeroBytes.length) yield zeroBytes.subarray(0, left);
}

function checked(
  numbers: readonly (number | undefined)[],
  sizeBytes: number | undefined,
  storedBytes: number,
): SparseMap | undefined {
  const pieces: SparsePiece[] = [];
  let [end, sum] = [0, 0];
  for (let n = 0; n < numbers.length; n += 2) {
    const [at, length] = [numbers[n], numbers[n + 1]];
    if (at === undefined || length === undefined || at < end) return undefined;
    end = at + length;
    sum += length;
    pieces.push({ at, sizeBytes: length });
  }
  return sizeBytes !== undefined && end <= sizeBytes && sum === storedBytes
    ? { pieces, sizeBytes }
    : undefined;
}

// Four pairs in the header, 21 in each block behind it; a pair of NULs is none.
async function oldMap(bytes: TarBytes, header: Buffer): Promise<(number | undefined)[]> {
  const numbers = [...pairs(header, 386, 4)];
  for (let isExtended = header[482] !== 0; isExtended;) {
    const block = (await bytes.block()) ?? bytes.damaged();
    numbers.push(...pairs(block, 0, 21));
    isExtended = block[504] !== 0;
  }
  return numbers;
}

function* pairs(block: Buffer, start: number, count: number): Generator<number | undefined> {
  for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
    yield numberAt(block, at, 12);
    yield numberAt(block, at + 12, 12);
  }
}

// 0.0: the records themselves come in pairs.
function mapInRecords(pax: PaxRecords): number[] {
  return pax.flatMap(([key, value]) =>
    key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes' ? [decimal(value.toString('latin1'))] : [],
  );
}

// 1.0: lines of decimal digits at the start of the data, their number first, filled up to whole blocks.
async function mapInData(
  bytes: TarBytes,
  dataBytes: number,
): Promise<{ readonly numbers: number[]; readonly mapBytes: number }> {
  const numbers: number[] = [];
  let [text, mapBytes] = ['', 0];
  while (numbers.length < 1 + (numbers[0] ?? 0) * 2) {
    if (mapBytes + blockBytes > dataBytes) bytes.damaged();
    text += ((await bytes.block()) ?? bytes.damaged()).toString('latin1');
    mapBytes += blockBytes;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) numbers.push(decimal(line));
  }
  return { numbers: numbers.slice(1, 1 + numbers[0]! * 2), mapBytes };
}
