// `cairn fetch OUTPUT --to FOLDER`: every source of a closure in one folder that serves as a mirror, over HTTP or as it
// lies. Knows the folder's layout; the files come from the store, verified once more on their way out.
//
//   FOLDER/by-sha256/<hash>       every file            CAIRN_SOURCES=FOLDER
//   FOLDER/<mirror>/<path>        the same file, where its mirror:// URLs have it     CAIRN_MIRROR_<NAME>=FOLDER/<mirror>
//   FOLDER/SHA256SUMS             `sha256sum --check` reads it

import { createReadStream } from 'node:fs';
import { copyFile, link, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DigestHasher, digestHash, digestSize, type Digest } from '../../store/base/digest.ts';
import { isErrno } from '../../store/base/errors.ts';
import { makeOwnFolders } from '../../store/base/make-folder.ts';
import { readTextIfThere } from '../../store/base/named-file.ts';
import { MissingBlob, type Store } from '../../store/index.ts';
import { parseMirrorUrl } from './mirrors.ts';

/** A download that is in the store. */
export interface CollectedSource {
  readonly urls: readonly string[];
  readonly digest: Digest;
}

export interface CollectOptions {
  readonly folder: string;
  readonly store: Pick<Store, 'blobs'>;
  readonly signal: AbortSignal;
}

/**
 * Copies the sources into the folder, beside what is there from earlier. Copies, since people may change what lies in
 * a folder of theirs, and hard links would change the store with it. Within the folder names are hard links.
 * @throws MissingBlob when the store's copy is not there or damaged.
 */
export async function collectSources(
  sources: readonly CollectedSource[],
  { folder, store, signal }: CollectOptions,
): Promise<void> {
  const sums = await readSums(folder);
  for (const { urls, digest } of sources) {
    signal.throwIfAborted();
    const byHash = join('by-sha256', digestHash(digest));
    await copyOnce(digest, join(folder, byHash), { store, signal });
    const names = urls.flatMap((url) => {
      const mirror = parseMirrorUrl(url);
      return mirror === undefined ? [] : [join(mirror.name, mirror.path)];
    });
    for (const name of names) await linkTo(join(folder, byHash), join(folder, name));
    for (const name of [byHash, ...names]) sums.set(name, digestHash(digest));
  }
  await writeSums(folder, sums);
}

async function copyOnce(
  digest: Digest,
  path: string,
  { store, signal }: Omit<CollectOptions, 'folder'>,
): Promise<void> {
  if ((await sizeOf(path)) === digestSize(digest)) return;
  makeOwnFolders(dirname(path));
  const partial = `${path}.partial`;
  const target = await open(partial, 'w', 0o644);
  try {
    const hasher = new DigestHasher();
    for await (const chunk of createReadStream(await store.blobs.path(digest, false), { signal })) {
      hasher.update(chunk as Buffer);
      await target.appendFile(chunk as Buffer);
    }
    if (hasher.digest() !== digest) throw new MissingBlob(digest);
    await target.sync();
    await rename(partial, path);
  } finally {
    await target.close();
    await rm(partial, { force: true });
  }
}

async function linkTo(existing: string, path: string): Promise<void> {
  makeOwnFolders(dirname(path));
  await rm(path, { force: true });
  try {
    await link(existing, path);
  } catch (error) {
    // A memory card's file system, for one, has no hard links.
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error;
    await copyFile(existing, path);
  }
}

// The format of sha256sum(1): hash, two spaces, path.
async function readSums(folder: string): Promise<Map<string, string>> {
  const text = (await readTextIfThere(join(folder, 'SHA256SUMS'))) ?? '';
  const entries = [...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)];
  return new Map(entries.map(([, hash = '', path = '']) => [path, hash]));
}

async function writeSums(folder: string, sums: ReadonlyMap<string, string>): Promise<void> {
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, hash]) => `${hash}  ${path}\n`);
  const partial = join(folder, 'SHA256SUMS.partial');
  makeOwnFolders(folder);
  await writeFile(partial, lines.join(''));
  await rename(partial, join(folder, 'SHA256SUMS'));
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
