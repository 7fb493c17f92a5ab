// Tar archives (POSIX ustar and pax, GNU long names, and the older v7 form) by tar-stream. Hands entries to a sink;
// adds what tar-stream does not look at: names that are not UTF-8, a missing end, and forms of GNU tar's own
// (plain-tar.ts puts them in front of it as ones that it reads).

import { extract, type Extract, type Header } from 'tar-stream';
import { pipeline } from 'node:stream/promises';
import { isErrno } from '../../store/base/errors.ts';
import { BadArchive, hostile, malformed, shown, lost } from './bad-archive.ts';
import { decodeName } from './entry-path.ts';
import type { EntrySink } from './entry-sink.ts';
import type { OutputMeter } from './limits.ts';
import { plainTar } from './plain-tar.ts';
import { sparseMapOf, withHoles } from './tar-sparse.ts';

/** What tar-stream gives, and its types only partly tell. */
interface TarHeader extends Omit<Header, 'type' | 'linkname'> {
  readonly type: Header['type'] | null;
  readonly linkname: string | null;
  /** Where the entry's data starts. */
  readonly byteOffset: number;
  readonly pax: Readonly<Record<string, string | undefined>> | null;
}
type TarEntry = Extract extends AsyncIterable<infer Source> ? Source : never;

const blockBytes = 512;

// What gives a program powers is not dropped without a word. All other attributes are about the machine it was packed on.
const capabilities = ['SCHILY.xattr.security.capability', 'LIBARCHIVE.xattr.security.capability'];

// Names come as latin1 so that their bytes can be had back. v7 headers have no magic, but a checksum they have.
const tarOptions = { filenameEncoding: 'latin1', allowUnknownFormat: true };

export interface TarContext {
  readonly sink: EntrySink;
  readonly meter: OutputMeter;
}

/** @throws BadArchive for whatever is not a whole tar archive, or must not be unpacked. */
export async function readTar(chunks: AsyncIterable<Buffer>, context: TarContext): Promise<void> {
  const end = new EndCheck();
  const entries = extract(tarOptions as object);
  const results = await Promise.allSettled([
    readEntries(entries, context, end),
    pipeline(end.watch(plainTar(chunks)), entries as unknown as NodeJS.WritableStream),
  ]);
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (reasons.length > 0) throw firstCause(reasons, end);
  end.check();
}

async function readEntries(
  entries: AsyncIterable<TarEntry>,
  context: TarContext,
  end: EndCheck,
): Promise<void> {
  for await (const entry of entries) {
    const header = entry.header as unknown as TarHeader;
    const name = entryName(header);
    end.noteEntry(name, header);
    if (!context.sink.leavesOut(name))
      await readEntry(entry as AsyncIterable<Buffer>, { header, name, ...context });
    entry.resume();
  }
}

interface EntryContext extends TarContext {
  readonly header: TarHeader;
  readonly name: string;
}

async function readEntry(chunks: AsyncIterable<Buffer>, context: EntryContext): Promise<void> {
  const { header, name, sink } = context;
  switch (header.type) {
    case 'directory':
      sink.folder(name);
      break;
    case 'symlink':
      sink.symlink(name, linkTarget(header));
      break;
    case 'link':
      sink.hardLink(name, linkTarget(header));
      break;
    case 'file':
    case 'contiguous-file':
      await readFile(chunks, context);
      break;
    case 'character-device':
    case 'block-device':
      hostile(`its entry ${shown(name)} is a device`);
    case 'fifo':
      hostile(`its entry ${shown(name)} is a fifo`);
    case null:
      malformed(`its entry ${shown(name)} is of a kind that cairn does not read`);
  }
}

async function readFile(chunks: AsyncIterable<Buffer>, context: EntryContext): Promise<void> {
  const { header, name, sink, meter } = context;
  const { mode, pax, size: sizeBytes } = header;
  if (capabilities.some((key) => (pax?.[key] ?? '') !== ''))
    lost(`its entry ${shown(name)} has file capabilities (security.capability), which no tree can hold`);
  const executable = (mode & 0o111) !== 0;
  const map = sparseMapOf(pax ?? {}, sizeBytes, name);
  // Before ustar, a folder was a file whose name ends in a slash.
  if (map !== undefined)
    await sink.file({ name, executable, sizeBytes: map.sizeBytes, chunks: withHoles(chunks, map, meter) });
  else if (name.endsWith('/') && sizeBytes === 0) sink.folder(name);
  else await sink.file({ name, executable, sizeBytes, chunks });
}

function entryName({ name, pax }: TarHeader): string {
  return paxText(pax?.['GNU.sparse.name']) ?? paxText(pax?.['path']) ?? fromLatin1(name);
}

function linkTarget({ linkname, pax }: TarHeader): string {
  return paxText(pax?.['linkpath']) ?? fromLatin1(linkname ?? '');
}

// tar-stream has decoded these already, with U+FFFD for what is not UTF-8.
function paxText(text: string | undefined): string | undefined {
  if (text?.includes('\ufffd') === true) malformed(`its entry ${shown(text)} has a name that is not UTF-8`);
  return text === '' ? undefined : text;
}

function fromLatin1(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text : decodeName(Buffer.from(text, 'latin1'));
}

const tarStreamError = /^(Invalid (tar )?header|Header exceeds max size|Unexpected end of data)/;

// When either side fails, the other one is closed early, which is no cause.
function firstCause(reasons: readonly unknown[], end: EndCheck): unknown {
  const cause = reasons.find((reason) => !isErrno(reason, 'ERR_STREAM_PREMATURE_CLOSE')) ?? reasons[0];
  return cause instanceof Error && tarStreamError.test(cause.message)
    ? new BadArchive('malformed', `its tar data is damaged or cut short${end.where()}`)
    : cause;
}

/** Sees to it that an archive does not just stop: it ends in at least one block of zeros (POSIX pax, "ustar"). */
class EndCheck {
  #readBytes = 0;
  #nonZeroBytes = 0;
  #entriesEnd = 0;
  #lastName: string | undefined;

  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      const length = lengthWithoutZeros(chunk);
      if (length > 0) this.#nonZeroBytes = this.#readBytes + length;
      this.#readBytes += chunk.length;
      yield chunk;
    }
  }

  noteEntry(name: string, { byteOffset, size, type }: TarHeader): void {
    this.#lastName = name;
    this.#entriesEnd = byteOffset + (type === 'directory' ? 0 : size);
  }

  /** The last entry, for messages. */
  where(): string {
    return this.#lastName === undefined ? '' : ` after entry ${shown(this.#lastName)}`;
  }

  check(): void {
    const lastBlock = Math.ceil(Math.max(this.#nonZeroBytes, this.#entriesEnd) / blockBytes);
    if (this.#readBytes < (lastBlock + 1) * blockBytes) malformed(`it is cut short${this.where()}`);
  }
}

function lengthWithoutZeros(chunk: Buffer): number {
  let length = chunk.length;
  while (length > 0 && chunk[length - 1] === 0) length -= 1;
  return length;
}
