// The changelog of a Debian package, out of an archive that a signed index names: the Debian part of its source, or a binary
// package of it. Downloads; keeps nothing.

import { closeSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import { redactUrl } from '../../store/base/http/redact.ts';
import { BadArchive } from '../archive/bad-archive.ts';
import { debData } from '../archive/deb.ts';
import { decompress } from '../archive/decompress.ts';
import { FileRange } from '../archive/file-range.ts';
import { formatOf, signatureBytes } from '../archive/format.ts';
import type { SourceArchive } from '../lock/debian-source.ts';
import { resolveUrls, type Mirrors } from '../sources/mirrors.ts';
import { MemorySink } from '../sources/sink.ts';
import { transfer, type Patience } from '../sources/transfer.ts';
import { parseChangelog, type ChangelogEntry } from './changelog.ts';

export interface ChangelogOptions {
  readonly mirrors: Mirrors;
  readonly signal: AbortSignal;
  readonly patience?: Partial<Patience> | undefined;
}

/** Its entries, newest first, or why it could not be read. */
export type ReadChangelog =
  { readonly entries: readonly ChangelogEntry[] } | { readonly entries?: undefined; readonly unread: string };

/** Far more than what stands before the changelog in any of them; a bomb has more. */
const mostBytes = 256 * 2 ** 20;
const mostText = 64 * 2 ** 20;

export async function readChangelog(
  { url, sha256, sizeBytes }: SourceArchive,
  { mirrors, signal, patience }: ChangelogOptions,
): Promise<ReadChangelog> {
  const sink = new MemorySink();
  const expected = { sha256, sizeBytes };
  const result = await transfer(resolveUrls(url, mirrors), sink, { expected, signal, patience });
  if (result.kind === 'failed') {
    const answers = result.failures.map((failure) => `${redactUrl(failure.url)}: ${failure.message}`);
    return { unread: answers.join('; ') };
  }
  try {
    const entries = parseChangelog(await changelogIn(sink.bytes()));
    return entries.length > 0 ? { entries } : { unread: `${url} has no changelog` };
  } catch (error) {
    if (!(error instanceof BadArchive)) throw error;
    return { unread: `${url} cannot be read: ${error.message}` };
  }
}

/** The text of the changelog in an archive; empty when it has none. */
async function changelogIn(bytes: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-audit-'));
  try {
    const path = join(folder, 'archive');
    await writeFile(path, bytes);
    const file = openSync(path, 'r');
    try {
      return await findChangelog(new FileRange(file, 0, bytes.length));
    } finally {
      closeSync(file);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const inSource = /^(\.\/)?([^/]+\/)?debian\/changelog$/;
// A package that Debian itself is upstream of has no other.
const inPackage = /^(\.\/)?usr\/share\/doc\/[^/]+\/changelog(\.Debian)?\.gz$/;

async function findChangelog(archive: FileRange): Promise<string> {
  const isPackage = formatOf(archive.read(0, signatureBytes)) === 'deb';
  const tar = isPackage ? debData(archive) : archive;
  const found = await entriesOf(tar, isPackage ? inPackage : inSource);
  const name = [...found.keys()].sort(
    (a, b) => Number(b.includes('.Debian')) - Number(a.includes('.Debian')),
  )[0];
  const bytes = found.get(name ?? '');
  if (bytes === undefined) return '';
  return (isPackage ? gunzipped(bytes) : bytes).toString('utf8');
}

function gunzipped(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: mostText });
  } catch (error) {
    throw new BadArchive('malformed', `its changelog cannot be unpacked: ${(error as Error).message}`);
  }
}

/** The files of a compressed tar whose names match. */
async function entriesOf(archive: FileRange, wanted: RegExp): Promise<Map<string, Buffer>> {
  const format = formatOf(archive.read(0, signatureBytes));
  if (format === 'deb' || format === 'zip' || format === 'plain')
    throw new BadArchive('malformed', 'it is no compressed tar');
  const entries = extract();
  const found = new Map<string, Buffer>();
  const reading = (async () => {
    for await (const entry of entries) {
      const isWanted = entry.header.type === 'file' && wanted.test(entry.header.name);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) if (isWanted) chunks.push(chunk as Buffer);
      if (isWanted) found.set(entry.header.name, Buffer.concat(chunks));
    }
  })();
  const unpacking = pipeline(
    limited(decompress(archive, format)),
    entries as unknown as NodeJS.WritableStream,
  );
  await Promise.all([unpacking, reading]);
  return found;
}

async function* limited(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let seen = 0;
  for await (const chunk of chunks) {
    seen += chunk.length;
    if (seen > mostBytes) throw new BadArchive('malformed', `it has more than ${exactBytes(mostBytes)}`);
    yield chunk;
  }
}
