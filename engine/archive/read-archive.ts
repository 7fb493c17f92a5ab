// Reads one archive into a folder of numbered contents and a listing. Runs on an unpacking thread.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { malformed } from './bad-archive.ts';
import { ContentFolder } from './content-folder.ts';
import { debData } from './deb.ts';
import { decompress } from './decompress.ts';
import { EntrySink } from './entry-sink.ts';
import { FileRange } from './file-range.ts';
import { foreignFormat } from './foreign-format.ts';
import { formatOf, signatureBytes, type Format } from './format.ts';
import { OutputMeter } from './limits.ts';
import type { Listing, UnpackRequest } from './listing.ts';
import { blockBytes } from './tar-bytes.ts';
import { hasTarChecksum } from './tar-header.ts';
import { startingAsTar } from './tar-start.ts';
import { zipRange } from './zip-range.ts';

/** @throws BadArchive; Stopped; system errors of reading the archive or writing the contents. */
export async function readArchive(request: UnpackRequest): Promise<Listing> {
  const file = openSync(request.archivePath, 'r');
  try {
    const archive = new FileRange(file, 0, fstatSync(file).size);
    const meter = new OutputMeter(request.limits, archive.sizeBytes, new Int32Array(request.stop));
    const { strip, exclude, limits } = request;
    const sink = new EntrySink({
      strip,
      exclude,
      limits,
      meter,
      contents: new ContentFolder(request.folder),
    });
    await readFormat(archive, { meter, sink });
    return sink.listing();
  } finally {
    closeSync(file);
  }
}

interface ReadContext {
  readonly meter: OutputMeter;
  readonly sink: EntrySink;
}

async function readFormat(archive: FileRange, context: ReadContext): Promise<void> {
  if (archive.sizeBytes === 0) malformed('it is empty');
  const format = formatOf(archive.read(0, signatureBytes));
  const zip = format === 'zip' || isSomethingElse(format, archive) ? zipRange(archive) : undefined;
  if (format === 'zip' || zip !== undefined) {
    const { readZip } = await import('./zip.ts');
    await readZip(zip ?? archive, context);
  } else {
    await readTarOf(format === 'deb' ? debData(archive) : archive, context);
  }
}

// Such as a program with a zip archive behind it.
function isSomethingElse(format: Format, archive: FileRange): boolean {
  return format === 'plain' && !hasTarChecksum(archive.read(0, blockBytes));
}

// A tar as it is, or with one layer of compression.
async function readTarOf(archive: FileRange, context: ReadContext): Promise<void> {
  const { readTar } = await import('./tar.ts');
  const format = formatOf(archive.read(0, signatureBytes));
  if (format === 'deb' || format === 'zip') malformed(`it has a ${format} where a tar belongs`);
  const foreign = isSomethingElse(format, archive) ? foreignFormat(archive) : undefined;
  if (foreign !== undefined) malformed(`it is ${foreign}, and cairn reads tar, zip and deb`);
  const [chunks, otherwise] =
    format === 'plain'
      ? [plain(archive), () => 'it is no archive that cairn knows (tar, zip or deb)']
      : [decompress(archive, format), (head: Buffer) => singleFile(format, head)];
  await readTar(startingAsTar(metered(chunks, context.meter), otherwise), context);
}

function singleFile(format: Format, head: Buffer): string {
  const inner = formatOf(head);
  if (inner === 'plain') return `it is a single ${format} file, not an archive`;
  return `its ${format} data is another ${inner} file, where a tar belongs`;
}

const pieceBytes = 256 * 1024;

async function* plain(archive: FileRange): AsyncGenerator<Buffer, void, undefined> {
  // Lets go of the thread now and then, as decoding does.
  for (const piece of archive.pieces(pieceBytes)) yield await Promise.resolve(piece);
}

async function* metered(
  chunks: AsyncIterable<Buffer>,
  meter: OutputMeter,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    meter.add(chunk.length);
    yield chunk;
  }
}
