// Writes a tree as a fresh folder: directories and symlinks on this thread, files by copyBlob, many of them on worker
// threads. Knows nothing of where folders of trees are kept.

import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { chunksOf, totalBytes } from '../base/chunks.ts';
import { digestSize, type Digest } from '../base/digest.ts';
import { isErrno } from '../base/errors.ts';
import type { FileBlobs } from '../content/blobs.ts';
import type { FilePool } from '../content/file-pool.ts';
import { pathTooLong } from '../content/scan-folder.ts';
import { blobName, blobPath, canonicalAtimeSeconds, canonicalMtimeSeconds, type Layout } from '../layout.ts';
import { MissingBlob, type Trees } from '../store.ts';
import { copyBlob, type FileToCopy } from './copy-files.ts';
import type { BlobNode } from './tree.ts';

export interface WriteTreeContext {
  readonly layout: Layout;
  readonly blobs: FileBlobs;
  readonly trees: Trees;
  readonly pool: () => FilePool;
  /** Told when a directory turns out to be gone. */
  readonly onLoss: (digest: Digest) => void;
  /** Every directory's permission bits. */
  readonly directoryMode: number;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;
/** Below both, handing files to another thread costs more than copying them here. */
const inlineFiles = 64;
const inlineBytes = 4 << 20;
/** What one thread is handed at a time. */
const chunk = { items: 256, sizeBytes: 16 << 20 };

/** A file to be copied, and what it is. */
export interface BlobToCopy extends FileToCopy {
  readonly node: BlobNode;
}

/**
 * Makes `path`, where nothing is yet, with the tree's content.
 * @throws MissingBlob; UserError `OUTPUT_INVALID` for a tree that no file system can hold
 */
export async function writeTree(tree: Digest, path: string, context: WriteTreeContext): Promise<void> {
  const directories: string[] = [];
  const files: BlobToCopy[] = [];
  try {
    await makeDirectories(tree, path, { context, directories, files });
    await copyAll(files, context);
  } catch (error) {
    if (isErrno(error, 'ENAMETOOLONG')) throw pathTooLong(`tree ${tree.slice(0, 16)}`, error);
    throw error;
  }
  // Last and innermost first: what is made in a directory moves its time, and may need to be allowed.
  for (const directory of directories.reverse()) {
    chmodSync(directory, context.directoryMode);
    utimesSync(directory, canonicalAtimeSeconds, canonicalMtimeSeconds);
  }
}

/** Makes `path`, where nothing is yet, with a blob's content. @throws MissingBlob */
export async function writeBlob(node: BlobNode, path: string, context: WriteTreeContext): Promise<void> {
  await copyAll([toCopy(node, path, context.layout)], context);
}

interface Making {
  readonly context: WriteTreeContext;
  readonly directories: string[];
  readonly files: BlobToCopy[];
}

async function makeDirectories(tree: Digest, path: string, making: Making): Promise<void> {
  const { context, directories, files } = making;
  const directory = context.trees.get(tree);
  if (directory === undefined) {
    context.onLoss(tree);
    throw new MissingBlob(tree);
  }
  mkdirSync(path, 0o700);
  if (directories.push(path) % entriesATurn === 0) await setImmediate();
  for (const [name, node] of directory) {
    const child = `${path}/${name}`;
    if (node.kind === 'tree') await makeDirectories(node.digest, child, making);
    else if (node.kind === 'blob') files.push(toCopy(node, child, context.layout));
    else {
      symlinkSync(node.target, child);
      lutimesSync(child, canonicalAtimeSeconds, canonicalMtimeSeconds);
    }
  }
}

/** What makes a blob's copy. */
export function toCopy(node: BlobNode, to: string, layout: Layout): BlobToCopy {
  const { digest, executable } = node;
  const from = blobPath(layout, blobName(digest, executable));
  return { from, to, executable, sizeBytes: digestSize(digest), node };
}

/** Copies many at once; no thread still writes when it ends. @throws MissingBlob */
export async function copyAll(
  files: readonly BlobToCopy[],
  { blobs, pool }: WriteTreeContext,
): Promise<void> {
  const copyChunk = async (some: readonly BlobToCopy[]): Promise<void> => {
    const copied = await pool().copy(some);
    for (const [at, isCopied] of copied.entries()) if (!isCopied) await copyRestored(some[at]!, blobs);
  };
  if (files.length <= inlineFiles && totalBytes(files) <= inlineBytes) {
    for (const file of files) if (!copyBlob(file)) await copyRestored(file, blobs);
    return;
  }
  const settled = await Promise.allSettled([...chunksOf(files, chunk)].map(copyChunk));
  // No thread still writes when the caller is told of the first failure.
  const failed = settled.find((done) => done.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

// Absent, touched, or there for the other executable bit only: the blobs know what to do, once.
async function copyRestored(file: BlobToCopy, blobs: FileBlobs): Promise<void> {
  const { digest, executable } = file.node;
  const from = await blobs.path(digest, executable);
  if (!copyBlob({ ...file, from })) throw new MissingBlob(digest);
}
