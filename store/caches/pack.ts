// Many small files as one: a tar in which each is named by its hash. Reading believes neither names nor sizes further than to
// keep within bounds; whoever takes a file compares it with its digest.

import { pack as tarPack } from 'tar-stream';
import { digestHash, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { ByteReader, decodePieces, encodePieces } from './pieces.ts';

/** Files of this size and more travel alone. */
export const largeBytes = 1024 * 1024;
/** Packs are filled up to this, before they are compressed. */
export const packBytes = 8 * 1024 * 1024;
const mostFiles = 20_000;
const blockBytes = 512;
/** What a pack's pieces hold at most: headers and padding come on top of what the files have. */
export const unpackedBytes = packBytes + largeBytes + mostFiles * 2 * blockBytes;

export interface PackedFile {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** The pack's bytes. */
export function encodePack(files: readonly PackedFile[]): AsyncIterable<Uint8Array> {
  const tar = tarPack();
  for (const { digest, bytes } of files)
    tar.entry({ name: digestHash(digest), mode: 0o444, mtime: new Date(1000) }, Buffer.from(bytes));
  tar.finalize();
  return encodePieces(tar as AsyncIterable<Uint8Array>);
}

/** The files of a pack, unverified. @throws Error for anything that is no pack, or is larger than one */
export function decodePack(encoded: AsyncIterable<Uint8Array>): AsyncGenerator<PackedFile, void, undefined> {
  return packedFiles(decodePieces(encoded));
}

/** The same of what a pack's pieces hold. */
export async function* packedFiles(
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<PackedFile, void, undefined> {
  const tar = new ByteReader(bounded(content));
  for (let count = 0; ; count++) {
    const header = await tar.take(blockBytes);
    // A tar ends with empty blocks.
    if (header === undefined || header.every((byte) => byte === 0)) return;
    if (count === mostFiles) throw new Error('it has more files than a pack may have');
    const digest = digestIn(header);
    const padded = Math.ceil(digestSize(digest) / blockBytes) * blockBytes;
    const bytes = padded === 0 ? Buffer.alloc(0) : await tar.take(padded);
    if (bytes === undefined) throw new Error('it is cut short');
    yield { digest, bytes: bytes.subarray(0, digestSize(digest)) };
  }
}

/** Packs that take these files, in their order. */
export function* groupedForPacks(
  digests: Iterable<Digest>,
  mostBytes = packBytes,
): Generator<readonly Digest[], void, undefined> {
  let group: Digest[] = [];
  let sizeBytes = 0;
  for (const digest of digests) {
    if (group.length > 0 && (sizeBytes + digestSize(digest) > mostBytes || group.length >= mostFiles)) {
      yield group;
      [group, sizeBytes] = [[], 0];
    }
    group.push(digest);
    sizeBytes += digestSize(digest);
  }
  if (group.length > 0) yield group;
}

// POSIX ustar, as far as packs go: files named by a hash, smaller than those that travel alone.
function digestIn(header: Buffer): Digest {
  const [name, size] = [fieldIn(header, 0, 100), fieldIn(header, 124, 12).trim()];
  const type = header[156];
  const isFile = type === 0 || type === '0'.charCodeAt(0);
  const sizeBytes = /^[0-7]+$/.test(size) ? Number.parseInt(size, 8) : Number.NaN;
  if (!isFile || !/^[0-9a-f]{64}$/.test(name) || !(sizeBytes < largeBytes))
    throw new Error('it is no pack: it has an entry that no pack has');
  return makeDigest(name, sizeBytes);
}

function fieldIn(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > unpackedBytes) throw new Error('it is larger than a pack may be');
    yield chunk;
  }
}
