// Turns a folder that a build left into a tree, by moving its files. Few small files are done at once on this thread;
// many are shared out to worker threads.

import { chunksOf } from '../base/chunks.ts';
import { settleAll } from '../base/settle-all.ts';
import type { Digest } from '../base/digest.ts';
import type { FilePool } from '../content/file-pool.ts';
import { scanFolder, type Scan, type ScannedDirectory, type ScannedFile } from './scan-folder.ts';
import { takeFile, takeFileSync, type FileToTake } from './take-file.ts';
import type { Directory, Node, TreeNode } from '../trees/tree.ts';

/** Below both, handing files to another thread costs more than hashing them here. */
const inlineFiles = 64;
const inlineBytes = 4 << 20;
/** What one thread is handed at a time. */
const chunk = { items: 256, sizeBytes: 16 << 20 };

export interface TakeFolderOptions {
  /** The batch's folder, where files go. */
  readonly folder: string;
  readonly pool: () => FilePool;
  readonly addFile: (digest: Digest, executable: boolean) => void;
  readonly addDirectory: (directory: Directory) => Digest;
}

/** @throws UserError `OUTPUT_INVALID` */
export async function takeFolder(source: string, options: TakeFolderOptions): Promise<TreeNode> {
  const scan = await scanFolder(source);
  const digests = await takeFiles(scan, options);
  return assemble(scan.top, digests, options);
}

type Digests = ReadonlyMap<ScannedFile, Digest>;

async function takeFiles(scan: Scan, { folder, pool }: TakeFolderOptions): Promise<Digests> {
  const digests = new Map<ScannedFile, Digest>();
  if (scan.files.length <= inlineFiles && scan.sizeBytes <= inlineBytes) {
    for (const file of scan.files) digests.set(file, takeFileSync(fileToTake(file), folder));
  } else if (scan.files.length === 1) {
    const [file] = scan.files as [ScannedFile];
    digests.set(file, await takeFile(fileToTake(file), folder));
  } else {
    const take = async (files: ScannedFile[]): Promise<void> => {
      const taken = await pool().take(files.map(fileToTake), folder);
      files.forEach((file, at) => digests.set(file, taken[at]!));
    };
    await settleAll([...chunksOf(scan.files, chunk)].map(take));
  }
  return digests;
}

function fileToTake({ path, executable, sizeBytes, sharedInode }: ScannedFile): FileToTake {
  return { path, executable, sizeBytes, isShared: sharedInode !== undefined };
}

function assemble(scanned: ScannedDirectory, digests: Digests, options: TakeFolderOptions): TreeNode {
  const directory = new Map<string, Node>();
  for (const [name, entry] of scanned.entries) {
    if (entry.kind === 'symlink') {
      directory.set(name, entry);
    } else if (entry.kind === 'directory') {
      directory.set(name, assemble(entry, digests, options));
    } else {
      const digest = digests.get(entry)!;
      options.addFile(digest, entry.executable);
      directory.set(name, { kind: 'blob', digest, executable: entry.executable });
    }
  }
  return { kind: 'tree', digest: options.addDirectory(directory) };
}
