// Tar archives (POSIX ustar and pax, GNU's long names, sparse files, labels and dumps, and the older v7 form). Hands
// entries to a sink. A reader of its own: none in the registry reads sparse files, or gives names as bytes.

import { hostile, malformed, shown } from './bad-archive.ts';
import { decodeName } from './entry-path.ts';
import type { EntrySink } from './entry-sink.ts';
import type { OutputMeter } from './limits.ts';
import { blockBytes, TarBytes } from './tar-bytes.ts';
import { hasTarChecksum, parseTarHeader, textAt, type TarHeader } from './tar-header.ts';
import { parsePax, paxNumber, paxValue, type PaxRecords } from './tar-pax.ts';
import { readSparseMap, withHoles } from './tar-sparse.ts';

export interface TarContext {
  readonly sink: EntrySink;
  readonly meter: OutputMeter;
}

/** @throws BadArchive for whatever is not a whole tar archive, or must not be unpacked. */
export async function readTar(chunks: AsyncIterable<Buffer>, context: TarContext): Promise<void> {
  const bytes = new TarBytes(chunks);
  try {
    await new TarReader(bytes, context).readAll();
  } finally {
    await bytes.close();
  }
}

/** Headers that say something of the entry after them. */
interface Said {
  pax: PaxRecords;
  longName: Buffer | undefined;
  longLink: Buffer | undefined;
}

interface Entry {
  readonly header: TarHeader;
  readonly pax: PaxRecords;
  readonly name: string;
  readonly link: Buffer;
  /** Of what is stored for it. */
  readonly dataBytes: number;
}

class TarReader {
  readonly #bytes: TarBytes;
  readonly #context: TarContext;
  #global: PaxRecords = [];
  #said: Said = nothingSaid();

  constructor(bytes: TarBytes, context: TarContext) {
    this.#bytes = bytes;
    this.#context = context;
  }

  /** An archive does not just stop: it ends in at least one block of zeros (POSIX pax, "ustar"). */
  async readAll(): Promise<void> {
    let isEnded = false;
    for (let block = await this.#bytes.block(); block !== undefined; block = await this.#bytes.block()) {
      isEnded = block.every((byte) => byte === 0);
      if (isEnded) continue;
      if (!hasTarChecksum(block)) this.#bytes.damaged();
      await this.#readHeader(parseTarHeader(block));
    }
    if (!isEnded) malformed(`it is cut short${this.#bytes.where}`);
  }

  async #readHeader(header: TarHeader): Promise<void> {
    const sizeBytes = header.sizeBytes ?? this.#bytes.damaged();
    switch (header.type) {
      case 'x':
      // Solaris' name for it.
      case 'X':
        this.#said.pax = parsePax(await this.#bytes.read(sizeBytes));
        break;
      case 'g':
        this.#global = parsePax(await this.#bytes.read(sizeBytes));
        break;
      case 'L':
        this.#said.longName = await this.#readText(sizeBytes);
        break;
      case 'K':
        this.#said.longLink = await this.#readText(sizeBytes);
        break;
      default: {
        const entry = this.#entry(header, sizeBytes);
        this.#said = nothingSaid();
        this.#bytes.where = ` after entry ${shown(entry.name)}`;
        await this.#readEntry(entry);
      }
    }
  }

  async #readText(sizeBytes: number): Promise<Buffer> {
    return textAt(await this.#bytes.read(sizeBytes), 0, sizeBytes);
  }

  #entry(header: TarHeader, sizeBytes: number): Entry {
    const { longName = header.name, longLink = header.link } = this.#said;
    const pax = [...this.#global, ...this.#said.pax];
    const name = paxValue(pax, 'GNU.sparse.name') ?? paxValue(pax, 'path') ?? longName;
    return {
      header,
      pax,
      name: decodeName(name),
      link: paxValue(pax, 'linkpath') ?? longLink,
      dataBytes: paxNumber(pax, 'size') ?? sizeBytes,
    };
  }

  async #readEntry(entry: Entry): Promise<void> {
    const { header, name, link } = entry;
    const { sink } = this.#context;
    if (header.type !== 'V' && sink.leavesOut(name)) return this.#skip(entry);
    switch (header.type) {
      case '5':
        // Its size, if it has one, is that of no data.
        sink.folder(name);
        return;
      case '0':
      case '7':
      case 'S':
        return this.#readFile(entry);
      case 'D':
        // A folder of an incremental dump: its data are names of what was in it.
        sink.folder(name);
        break;
      case 'V':
        // The archive's own name.
        break;
      case '1':
        sink.hardLink(name, decodeName(link));
        break;
      case '2':
        sink.symlink(name, decodeName(link));
        break;
      case '3':
      case '4':
        hostile(`its entry ${shown(name)} is a device`);
      case '6':
        hostile(`its entry ${shown(name)} is a fifo`);
      case 'M':
        malformed(`it goes on with ${shown(name)} from another volume: it is one part of a larger archive`);
      default:
        malformed(`its entry ${shown(name)} is of a kind that cairn does not read`);
    }
    await this.#bytes.skip(padded(entry.dataBytes));
  }

  // The blocks that go on with an old sparse file's map stand in front of its data.
  async #skip(entry: Entry): Promise<void> {
    if (entry.header.type === 'S') await readSparseMap(this.#bytes, entry);
    if (entry.header.type !== '5') await this.#bytes.skip(padded(entry.dataBytes));
  }

  async #readFile(entry: Entry): Promise<void> {
    const { header, name, dataBytes } = entry;
    const { sink, meter } = this.#context;
    const map = await readSparseMap(this.#bytes, entry);
    // Before ustar, a folder was a file whose name ends in a slash.
    if (name.endsWith('/') && dataBytes === 0 && map === undefined) {
      sink.folder(name);
      return;
    }
    await sink.file({
      name,
      executable: (header.mode & 0o111) !== 0,
      sizeBytes: map?.sizeBytes ?? dataBytes,
      chunks: map === undefined ? this.#bytes.stream(dataBytes) : withHoles(this.#bytes, map, meter),
    });
    // A map in front of the data has filled whole blocks.
    await this.#bytes.skip(padded(dataBytes) - dataBytes);
  }
}

function nothingSaid(): Said {
  return { pax: [], longName: undefined, longLink: undefined };
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}
