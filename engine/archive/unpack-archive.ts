// One archive to one tree in a batch: a thread unpacks, the contents are adopted, the Merkle directories built.

import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../store/base/errors.ts';
import type { Batch, Node } from '../../store/index.ts';
import { defaultLimits, type UnpackLimits } from './limits.ts';
import type { ListedEntry, Listing, UnpackReply } from './listing.ts';
import type { UnpackWorkers } from './unpack-workers.ts';

export interface UnpackOptions {
  /** What the archive is called in messages. */
  readonly name: string;
  /** How many leading path parts every entry loses; undefined: the top folder where there is only one. */
  readonly strip: number | undefined;
  /** Globs over the paths in the archive of what is left out. */
  readonly exclude?: readonly string[] | undefined;
  readonly batch: UnpackBatch;
  /** A folder on the store's file system. Whatever is put there is gone again in the end. */
  readonly scratch: string;
  readonly workers: UnpackWorkers;
  readonly signal: AbortSignal;
  readonly limits?: UnpackLimits;
}

/** The part of a batch that unpacking needs. */
export type UnpackBatch = Pick<Batch, 'addDirectory' | 'adopt'>;

/**
 * The tree inside an archive: tar (plain, gzip, bzip2, xz, lzma, zstd), zip, or the files of a deb. Of modes only
 * whether anyone may execute a file is kept; owners and times are not.
 * @throws UserError `ARCHIVE_HOSTILE`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_MALFORMED`, `DERIVATION_INVALID` for what would be lost to `strip`;
 * `signal.reason`.
 */
export async function unpackArchive(archivePath: string, options: UnpackOptions): Promise<Node> {
  const { strip, exclude = [], workers, signal, limits = defaultLimits } = options;
  const folder = await mkdtemp(join(options.scratch, 'unpack-'));
  try {
    const reply = await workers.run({ archivePath, folder, strip, exclude, limits }, signal);
    signal.throwIfAborted();
    return await addTree(listingOf(reply, options.name), folder, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function listingOf(reply: UnpackReply, name: string): Listing {
  switch (reply.kind) {
    case 'unpacked':
      return reply.listing;
    case 'hostile':
      throw new UserError('ARCHIVE_HOSTILE', `${name}: ${reply.message}`, {
        hint: 'Nothing was unpacked. Find out where it comes from before you try it with another tool.',
      });
    case 'tooLarge':
      throw new UserError('ARCHIVE_TOO_LARGE', `${name}: ${reply.message}`, {
        hint: 'Nothing was unpacked. If you know that it is so large, say limits: { unpackedBytes: … } or { entries: … } in its unpack().',
      });
    case 'malformed':
      throw new UserError('ARCHIVE_MALFORMED', `${name}: ${reply.message}`, {
        hint: 'Nothing was unpacked. If its hash is the pinned one, it was published like this: pin another version or another archive.',
      });
    case 'stripped':
      throw new UserError('DERIVATION_INVALID', `${name}: ${reply.message}`, {
        hint: 'Leave strip out: then a top folder is left out where it is the only thing there. Or say strip: 0.',
      });
    case 'lost':
      throw new UserError('DERIVATION_INVALID', `${name}: ${reply.message}`, {
        hint: 'Leave it out, if you can do without it: exclude: […] in its unpack().',
      });
    case 'stopped':
      throw new Error('bug: an unpacking thread stopped, and nobody asked it to');
    case 'failed':
      throw Object.assign(reply.error, reply.code === undefined ? {} : { code: reply.code });
  }
}

/** Adopting a file takes a few system calls; other work gets a turn after this many. */
const filesATurn = 500;

async function addTree(listing: Listing, folder: string, { batch, signal }: UnpackOptions): Promise<Node> {
  const used = usedContents(listing);
  const contents: Node[] = [];
  for (const [number, { digest, executable }] of listing.contents.entries()) {
    if (used.has(number)) batch.adopt(`${folder}/${number}`, digest, executable);
    contents.push({ kind: 'blob', digest, executable });
    if (number % filesATurn !== 0) continue;
    await setImmediate();
    signal.throwIfAborted();
  }
  const directories: Node[] = [];
  const nodeOf = (entry: ListedEntry): Node => {
    switch (entry.kind) {
      case 'folder':
        return directories[entry.directory]!;
      case 'file':
        return contents[entry.content]!;
      case 'symlink':
        return { kind: 'symlink', target: entry.target };
    }
  };
  for (const { entries } of listing.directories) {
    const digest = batch.addDirectory(new Map(entries.map((entry) => [entry.name, nodeOf(entry)])));
    directories.push({ kind: 'tree', digest });
  }
  return directories.at(-1)!;
}

// Not all of them: a later entry may have replaced one.
function usedContents({ directories }: Listing): ReadonlySet<number> {
  const used = new Set<number>();
  for (const { entries } of directories)
    for (const entry of entries) if (entry.kind === 'file') used.add(entry.content);
  return used;
}
