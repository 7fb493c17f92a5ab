// How an entry of a zip archive is compressed (APPNOTE 4.4.5). What yauzl does not know is decoded here, from the stretch
// of the file that the entry's data is, by the same decoders as tars.

import type { Entry, ZipFile } from 'yauzl';
import { malformed, shown } from './bad-archive.ts';
import { decompress } from './decompress.ts';
import type { FileRange } from './file-range.ts';
import type { Compression } from './format.ts';

/** Stored, and deflate. */
const ofYauzl: readonly number[] = [0, 8];
const decoded: ReadonlyMap<number, Compression> = new Map([
  [12, 'bzip2'],
  [93, 'zstd'],
  [95, 'xz'],
]);
const unknown: ReadonlyMap<number, string> = new Map([
  [1, 'Shrink'],
  [6, 'Implode'],
  [9, 'Deflate64'],
  [14, 'LZMA'],
  [98, 'PPMd'],
]);

interface EntryPlace {
  readonly archive: FileRange;
  readonly zip: ZipFile;
  readonly name: string;
}

/** The entry's content, of the size that the archive says. */
export async function* plainContent(
  entry: Entry,
  { archive, zip, name }: EntryPlace,
): AsyncGenerator<Buffer, void, undefined> {
  const method = entry.compressionMethod;
  if (ofYauzl.includes(method)) {
    yield* (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>;
    return;
  }
  const compression = decoded.get(method);
  if (compression === undefined)
    malformed(
      `its entry ${shown(name)} is compressed with ${unknown.get(method) ?? 'a method'} (method ${method}), which cairn does not know; with deflate it can be read`,
    );
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  let sizeBytes = 0;
  for await (const chunk of decompress(archive.slice(fileDataStart, entry.compressedSize), compression)) {
    sizeBytes += chunk.length;
    // Of no bytes at all, zlib's crc32 begins anew.
    if (chunk.length > 0) yield chunk;
  }
  if (sizeBytes !== entry.uncompressedSize)
    malformed(`its entry ${shown(name)} has not the size that is said`);
}
