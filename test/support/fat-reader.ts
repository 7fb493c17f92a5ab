// Reads a fat32 file system as the specification says, and fails at what it does not allow: every name letter by letter,
// where mtools know only those of one code page.

export interface FatFile {
  readonly path: string;
  /** The other name, of eight letters and three. */
  readonly short: string;
  readonly folder: boolean;
  readonly content: Buffer;
  /** Date and time of the last change, in ISO's form. */
  readonly changed: string;
}

const row = 32;

/** All files and folders, those of each folder in its order. @throws Error at what is not sound. */
export function readFat(disk: Buffer, offset = 0): readonly FatFile[] {
  const volume = openVolume(disk.subarray(offset));
  const found: FatFile[] = [];
  const open = [{ path: '', cluster: volume.root, above: 0 }];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    const { path, cluster, above } = at;
    for (const entry of entriesOf(volume.chain(cluster))) {
      if (entry.name === '.' || entry.name === '..') {
        const expected = entry.name === '.' ? cluster : above;
        if (entry.first !== expected) throw new Error(`${entry.name} of ${path} leads elsewhere`);
        continue;
      }
      const below = `${path}${entry.name}`;
      const content = entry.folder ? Buffer.alloc(0) : volume.chain(entry.first).subarray(0, entry.size);
      if (content.length < entry.size) throw new Error(`${below} is cut short`);
      found.push({ path: below, short: entry.short, folder: entry.folder, content, changed: entry.changed });
      if (entry.folder)
        open.push({ path: `${below}/`, cluster: entry.first, above: cluster === volume.root ? 0 : cluster });
    }
  }
  return found;
}

function openVolume(volume: Buffer): { root: number; chain: (first: number) => Buffer } {
  const [sector, perCluster, reserved] = [
    volume.readUInt16LE(11),
    volume[13]!,
    volume.readUInt16LE(14),
  ] as const;
  const tableBytes = volume.readUInt32LE(36) * sector;
  const start = reserved * sector;
  const table = volume.subarray(start, start + tableBytes);
  if (!table.equals(volume.subarray(start + tableBytes, start + 2 * tableBytes)))
    throw new Error('the two tables differ');
  const content = start + 2 * tableBytes;
  const size = perCluster * sector;
  const chain = (first: number): Buffer => {
    const parts: Buffer[] = [];
    for (let at = first; at !== 0 && at < 0x0ffffff8; at = table.readUInt32LE(at * 4) & 0x0fffffff)
      parts.push(volume.subarray(content + (at - 2) * size, content + (at - 1) * size));
    return Buffer.concat(parts);
  };
  return { root: volume.readUInt32LE(44), chain };
}

interface Entry {
  readonly name: string;
  readonly short: string;
  readonly folder: boolean;
  readonly first: number;
  readonly size: number;
  readonly changed: string;
}

function* entriesOf(rows: Buffer): Generator<Entry> {
  let long: Buffer[] = [];
  for (let at = 0; at < rows.length && rows[at] !== 0; at += row) {
    const one = rows.subarray(at, at + row);
    if (one[11] === 0x0f) long.push(one);
    else if ((one[11]! & 0x08) === 0) {
      yield entryOf(one, long);
      long = [];
    }
  }
  if (long.length > 0) throw new Error('a long name belongs to nothing');
}

function entryOf(one: Buffer, long: readonly Buffer[]): Entry {
  const short = one.toString('latin1', 0, 11);
  const [stem, extension] = [short.slice(0, 8).trimEnd(), short.slice(8).trimEnd()];
  const plain = extension === '' ? stem : `${stem}.${extension}`;
  return {
    name: long.length === 0 ? plain : longName(long, one.subarray(0, 11)),
    short: plain,
    folder: (one[11]! & 0x10) !== 0,
    first: (one.readUInt16LE(20) << 16) | one.readUInt16LE(26),
    size: one.readUInt32LE(28),
    changed: dateOf(one.readUInt16LE(24), one.readUInt16LE(22)),
  };
}

function longName(rows: readonly Buffer[], short: Buffer): string {
  const sum = short.reduce((before, byte) => (((before >> 1) | (before << 7)) + byte) & 0xff, 0);
  for (const [at, one] of rows.entries()) {
    const order = rows.length - at + (at === 0 ? 0x40 : 0);
    if (one[0] !== order) throw new Error(`a long name has row ${one[0]} where ${order} belongs`);
    if (one[13] !== sum) throw new Error('a long name is that of another file');
  }
  const parts = rows.toReversed().flatMap((one) =>
    [
      [1, 11],
      [14, 26],
      [28, 32],
    ].map(([from, to]) => one.subarray(from, to)),
  );
  const [name, after = ''] = Buffer.concat(parts).toString('utf16le').split('\0');
  if (!/^\uffff*$/.test(after)) throw new Error(`there is something after the name ${name}`);
  return name!;
}

function dateOf(day: number, clock: number): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = [1980 + (day >> 9), two((day >> 5) & 15), two(day & 31)].join('-');
  return `${date}T${[clock >> 11, (clock >> 5) & 63, (clock & 31) * 2].map(two).join(':')}`;
}
