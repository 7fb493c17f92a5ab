// Many small files as one: a tar in which each is named by its hash. Reading believes neither names nor sizes further than to
// keep within bounds; whoever takes a file compares it with its digest.

import { extract, pack as tarPack } from 'tar-stream';
import { digestHash, digestSize, makeDigest, type Digest } from '../base/digest.ts';
import { decodePieces, encodePieces } from './pieces.ts';

/** Files of this size and more travel alone. */
export const largeBytes = 1024 * 1024;
/** Packs are filled up to this, before they are compressed. */
export const packBytes = 8 * 1024 * 1024;
const mostFiles = 20_000;

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
export async function* decodePack(
  encoded: AsyncIterable<Uint8Array>,
): AsyncGenerator<PackedFile, void, undefined> {
  const tar = extract();
  const feeding = feed(encoded, tar);
  let count = 0;
  try {
    for await (const entry of tar) {
      const { name, size, type } = entry.header;
      if (type !== 'file' || !/^[0-9a-f]{64}$/.test(name) || size < 0 || size >= largeBytes)
        throw new Error('it is no pack: it has an entry that no pack has');
      if (++count > mostFiles) throw new Error('it has more files than a pack may have');
      const parts: Uint8Array[] = [];
      for await (const chunk of entry) parts.push(chunk as Uint8Array);
      yield { digest: makeDigest(name, size), bytes: Buffer.concat(parts) };
    }
    await feeding;
  } finally {
    tar.destroy();
    await feeding.catch(() => undefined);
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

async function feed(encoded: AsyncIterable<Uint8Array>, tar: ReturnType<typeof extract>): Promise<void> {
  // Headers and padding come on top of what the files have.
  const mostBytes = packBytes + largeBytes + mostFiles * 1024;
  let sizeBytes = 0;
  try {
    for await (const chunk of decodePieces(encoded)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > mostBytes) throw new Error('it is larger than a pack may be');
      if (tar.destroyed) return;
      if (!tar.write(chunk))
        await new Promise<void>((resolve) => tar.once('drain', resolve).once('close', resolve));
    }
    tar.end(Buffer.alloc(0));
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}
