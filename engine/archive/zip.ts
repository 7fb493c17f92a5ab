// Zip archives (PKWARE APPNOTE) by yauzl, which goes by the central directory and checks sizes. Hands entries to a sink;
// adds the checksums, Unix modes, symlinks and names with backslashes.

import { crc32 } from 'node:zlib';
import { Readable } from 'node:stream';
import {
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  RandomAccessReader,
  type Entry,
  type ZipFile,
} from 'yauzl';
import { isErrno } from '../../store/base/errors.ts';
import { BadArchive, hostile, malformed, shown } from './bad-archive.ts';
import { decodeName } from './entry-path.ts';
import type { EntrySink } from './entry-sink.ts';
import type { FileRange } from './file-range.ts';
import type { OutputMeter } from './limits.ts';
import { plainContent } from './zip-methods.ts';

/** "Version made by": with these upper bytes (Unix, OS X) the upper half of the external attributes is a Unix mode. */
const madeOnUnix: readonly number[] = [3, 19];
/** With these (MS-DOS, NTFS, VFAT), a name may have backslashes between its parts. */
const madeOnWindows: readonly number[] = [0, 10, 11, 14];
const typeMask = 0o170000;
const symlinkType = 0o120000;
const folderType = 0o040000;
const fileType = 0o100000;
/** Of what zip(1) was given by a pipe: the data is all that it knew. */
const pipeType = 0o010000;
const longestTargetBytes = 4096;

export interface ZipContext {
  readonly sink: EntrySink;
  readonly meter: OutputMeter;
}

interface OpenZip extends ZipContext {
  readonly archive: FileRange;
  readonly zip: ZipFile;
}

/** @throws BadArchive for whatever is not a whole zip archive, or must not be unpacked. */
export async function readZip(archive: FileRange, context: ZipContext): Promise<void> {
  const zip = await openZip(archive);
  try {
    for await (const entry of zip.eachEntry()) await readEntry(entry, { ...context, archive, zip });
  } catch (error) {
    throw explained(error);
  } finally {
    zip.close();
  }
}

async function openZip(archive: FileRange): Promise<ZipFile> {
  const options = { autoClose: false, decodeStrings: false, validateEntrySizes: true };
  try {
    return await fromRandomAccessReaderPromise(new RangeReader(archive), archive.sizeBytes, options);
  } catch (error) {
    throw explained(error);
  }
}

const pieceBytes = 64 * 1024;

class RangeReader extends RandomAccessReader {
  readonly #range: FileRange;

  constructor(range: FileRange) {
    super();
    this.#range = range;
  }

  // yauzl asks for what a damaged archive says, and finds out itself that there is less.
  override _readStreamForRange(start: number, end: number): Readable {
    const from = Math.min(start, this.#range.sizeBytes);
    const sizeBytes = Math.min(end, this.#range.sizeBytes) - from;
    return Readable.from(this.#range.slice(from, sizeBytes).pieces(pieceBytes), { objectMode: false });
  }
}

async function readEntry(entry: Entry, context: OpenZip): Promise<void> {
  const { sink } = context;
  const name = entryName(entry);
  if (sink.leavesOut(name)) return;
  if (entry.isEncrypted()) malformed(`its entry ${shown(name)} is encrypted`);
  const mode = madeOnUnix.includes(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0;
  const type = mode & typeMask;
  const sizeBytes = entry.uncompressedSize;
  const chunks = contentOf(entry, name, context);
  if (name.endsWith('/') || type === folderType) sink.folder(name);
  else if (type === symlinkType) sink.symlink(name, await readTarget(name, sizeBytes, chunks));
  else if (![fileType, pipeType, 0].includes(type)) hostile(`its entry ${shown(name)} is a device or socket`);
  else await sink.file({ name, executable: (mode & 0o111) !== 0, sizeBytes, chunks });
}

// The name field is in a character set of its maker's choice, unless an extra field or a flag says UTF-8. Only UTF-8
// can be told for sure.
function entryName({ generalPurposeBitFlag, fileNameRaw, extraFields, versionMadeBy }: Entry): string {
  const unicodePath = extraFields.some(({ id }) => id === 0x7075);
  const name = unicodePath
    ? getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true)
    : decodeName(fileNameRaw);
  const isWindows = madeOnWindows.includes(versionMadeBy >>> 8) && !name.includes('/');
  return isWindows ? name.replaceAll('\\', '/') : name;
}

async function* contentOf(
  entry: Entry,
  name: string,
  { archive, zip, meter }: OpenZip,
): AsyncGenerator<Buffer, void, undefined> {
  let checksum = 0;
  for await (const chunk of plainContent(entry, { archive, zip, name })) {
    meter.add(chunk.length);
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (checksum !== entry.crc32) malformed(`its entry ${shown(name)} has a wrong checksum`);
}

async function readTarget(name: string, sizeBytes: number, chunks: AsyncIterable<Buffer>): Promise<string> {
  if (sizeBytes > longestTargetBytes) malformed(`its symlink ${shown(name)} has no possible target`);
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return decodeName(Buffer.concat(parts));
}

// yauzl's own errors are plain, zlib's have a code that starts with Z_.
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof BadArchive) return error;
  const isLibrarys = error.name === 'Error' && (!('code' in error) || isZlibError(error));
  return isLibrarys ? new BadArchive('malformed', `its zip data is damaged (${error.message})`) : error;
}

function isZlibError(error: Error): boolean {
  return isErrno(error) || String((error as NodeJS.ErrnoException).code).startsWith('Z_');
}
