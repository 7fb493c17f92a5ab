// A tar archive as tar-stream can read it: sparse files of every form become those of pax 0.1, labels go, dumped folders
// become folders, links have no data, and nothing comes behind the end. All else passes as it is; what is damaged is left to
// whoever reads it. Makes no entries.

import { malformed, shown } from './bad-archive.ts';
import { blockBytes, TarBytes } from './tar-bytes.ts';
import { checkGlobal, withGlobal } from './tar-global.ts';
import {
  changedHeader,
  hasTarChecksum,
  numberAt,
  parseTarHeader,
  withUsualChecksum,
  type TarHeader,
} from './tar-header.ts';
import { formatPax, parsePax, paxNumber, paxValue, type PaxRecords } from './tar-pax.ts';

/** The bytes, in chunks of about the size they came in. */
export async function* plainTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let small: Buffer[] = [];
  let smallBytes = 0;
  for await (const piece of rewritten(new TarBytes(chunks))) {
    small.push(piece);
    smallBytes += piece.length;
    if (smallBytes < chunkBytes) continue;
    yield small.length === 1 ? piece : Buffer.concat(small);
    [small, smallBytes] = [[], 0];
  }
  if (smallBytes > 0) yield Buffer.concat(small);
}

const chunkBytes = 64 * 1024;

/** A pax header that waits for its entry. */
interface Waiting {
  readonly data: Buffer;
  readonly records: PaxRecords;
}

async function* rewritten(bytes: TarBytes): AsyncGenerator<Buffer, void, undefined> {
  let global: PaxRecords = [];
  let waiting: Waiting | undefined;
  try {
    let isFirst = true;
    for (let block = await bytes.block(); block.length > 0; block = await bytes.block()) {
      const header = hasTarChecksum(block) ? parseTarHeader(withUsualChecksum(block)) : undefined;
      if (header?.sizeBytes === undefined) {
        if (waiting !== undefined) yield* paxBlocks(waiting.data);
        waiting = undefined;
        yield block;
        if (block.some((byte) => byte !== 0)) yield* bytes.rest();
        else await readPastEnd(bytes, isFirst);
      } else if (header.type === 'x' || header.type === 'X') {
        const data = await bytes.read(header.sizeBytes);
        waiting = { data, records: parsePax(data) };
      } else if (header.type === 'g') {
        const data = await bytes.read(header.sizeBytes);
        global = withGlobal(global, parsePax(data));
      } else if (header.type === 'L' || header.type === 'K') {
        yield header.block;
        yield* bytes.stream(padded(header.sizeBytes));
      } else {
        yield* entry(bytes, header, { waiting, global });
        waiting = undefined;
      }
      isFirst = false;
    }
    if (waiting !== undefined) yield* paxBlocks(waiting.data);
  } finally {
    await bytes.close();
  }
}

// A block of zeros is the end, as for GNU tar and libarchive: what comes behind it, be it another archive, is no part of
// this one. It is read all the same, since it may belong to something with a checksum.
async function readPastEnd(bytes: TarBytes, isFirst: boolean): Promise<void> {
  for await (const chunk of bytes.rest())
    if (isFirst && chunk.some((byte) => byte !== 0)) malformed('it starts like an empty tar, but is none');
}

async function* entry(
  bytes: TarBytes,
  header: TarHeader,
  { waiting, global }: { readonly waiting: Waiting | undefined; readonly global: PaxRecords },
): AsyncGenerator<Buffer, void, undefined> {
  const pax = waiting?.records ?? [];
  checkGlobal(global, pax, header);
  const name = (paxValue(pax, 'path') ?? header.name).toString();
  const dataBytes = paxNumber(pax, 'size') ?? header.sizeBytes!;
  bytes.where = ` after entry ${shown(name)}`;
  if (header.type === 'V') return bytes.skip(padded(dataBytes));
  if (header.type === 'M')
    malformed(`it goes on with ${shown(name)} from another volume: it is one part of a larger archive`);
  const sparse = await readSparse(bytes, header, { pax, dataBytes });
  if (sparse !== undefined) {
    const { map, sizeBytes, storedBytes } = sparse;
    const added = { 'GNU.sparse.map': map, 'GNU.sparse.realsize': sizeBytes, size: String(storedBytes) };
    yield* paxBlocks(Buffer.concat([withoutPadding(waiting?.data), ...formatPax(added)]));
    yield changedHeader(header.block, { type: '0', sizeBytes: 0 });
    yield* bytes.stream(padded(storedBytes));
    return;
  }
  if (dataBytes > 0 && (await isLinkWithoutData(bytes, header, pax))) {
    const zero = formatPax({ size: '0' });
    if (waiting !== undefined) yield* paxBlocks(Buffer.concat([withoutPadding(waiting.data), ...zero]));
    yield changedHeader(header.block, { type: header.type, sizeBytes: 0 });
    return;
  }
  if (waiting !== undefined) yield* paxBlocks(waiting.data);
  if (header.type === 'D') {
    // Its data are names of what was in the folder.
    yield changedHeader(header.block, { type: '5', sizeBytes: 0 });
    await bytes.skip(padded(dataBytes));
    return;
  }
  yield header.block;
  // A folder's size, if it has one, is that of no data.
  if (header.type !== '5') yield* bytes.stream(padded(dataBytes));
}

// Some old programs write the length of a link's target, or of the linked file, as its size. Only pax and the ustar of some
// programs have data behind a hard link; where nothing else tells, a header there is one.
async function isLinkWithoutData(bytes: TarBytes, header: TarHeader, pax: PaxRecords): Promise<boolean> {
  if (header.type === '2') return true;
  if (header.type !== '1' || pax.length > 0) return false;
  const isPosix = header.block.toString('latin1', 257, 263) === 'ustar\0';
  const next = isPosix ? await bytes.nextBlock() : undefined;
  return next === undefined || hasTarChecksum(next);
}

interface Sparse {
  /** As pax 0.1 has it. */
  readonly map: string;
  readonly sizeBytes: string;
  readonly storedBytes: number;
}

// What is no number, or is missing, is written down as it is: the map is judged where it is used.
async function readSparse(
  bytes: TarBytes,
  { type, block }: TarHeader,
  { pax, dataBytes }: { readonly pax: PaxRecords; readonly dataBytes: number },
): Promise<Sparse | undefined> {
  const text = (key: string): string | undefined => paxValue(pax, key)?.toString('latin1');
  if (type === 'S') {
    const map = (await oldMap(bytes, block)).join(',');
    return { map, sizeBytes: String(numberAt(block, 483, 12)), storedBytes: dataBytes };
  }
  const sizeBytes = text('GNU.sparse.realsize') ?? text('GNU.sparse.size') ?? '';
  if (text('GNU.sparse.major') === '1') {
    const { map, mapBytes } = await mapInData(bytes, dataBytes);
    return { map, sizeBytes, storedBytes: dataBytes - mapBytes };
  }
  const map = pax.filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes');
  return map.length === 0
    ? undefined
    : { map: map.map(([, value]) => value.toString('latin1')).join(','), sizeBytes, storedBytes: dataBytes };
}

// Four pairs in the header, 21 in each block behind it; a pair of NULs is none.
async function oldMap(bytes: TarBytes, header: Buffer): Promise<string[]> {
  const numbers = [...pairs(header, 386, 4)];
  for (let isExtended = header[482] !== 0; isExtended;) {
    const block = await bytes.block();
    if (block.length < blockBytes) bytes.damaged();
    numbers.push(...pairs(block, 0, 21));
    isExtended = block[504] !== 0;
  }
  return numbers;
}

function* pairs(block: Buffer, start: number, count: number): Generator<string> {
  for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
    yield String(numberAt(block, at, 12));
    yield String(numberAt(block, at + 12, 12));
  }
}

// 1.0: lines of decimal digits at the start of the data, their number first, filled up to whole blocks.
async function mapInData(
  bytes: TarBytes,
  dataBytes: number,
): Promise<{ readonly map: string; readonly mapBytes: number }> {
  const lines: string[] = [];
  let [unfinished, mapBytes] = ['', 0];
  const count = (): number => 1 + 2 * Number(lines[0] ?? 0);
  while (lines.length < count()) {
    if (mapBytes + blockBytes > dataBytes) bytes.damaged();
    mapBytes += blockBytes;
    const found = `${unfinished}${(await bytes.block()).toString('latin1')}`.split('\n');
    unfinished = found.pop()!;
    lines.push(...found);
    if (!/^\d{0,9}$/.test(lines[0] ?? unfinished.slice(0, 10))) bytes.damaged();
  }
  return { map: lines.slice(1, count()).join(','), mapBytes };
}

function* paxBlocks(data: Buffer): Generator<Buffer> {
  yield changedHeader(paxTemplate, { type: 'x', sizeBytes: data.length });
  yield* [data, padding(data.length)];
}

const paxTemplate = Buffer.alloc(blockBytes);
paxTemplate.write('pax');
paxTemplate.write('ustar\x0000', 257);

// NULs end the records, and nothing that comes behind them would count.
function withoutPadding(data: Buffer = Buffer.alloc(0)): Buffer {
  let { length } = data;
  while (length > 0 && data[length - 1] === 0) length -= 1;
  return data.subarray(0, length);
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc(-sizeBytes & (blockBytes - 1));
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}
