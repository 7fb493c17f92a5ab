// All that a server must have of an input root, and where its bytes come from. Walks Merkle nodes; reads a blob when it is asked for.

import { createReadStream } from 'node:fs';
import type { Digest } from '../../store/base/digest.ts';
import { emptyTree, encodeDirectory, MissingBlob, type Directory, type Store } from '../../store/index.ts';
import type { BlobSource } from '../../store/reapi/index.ts';
import type { InputRoot } from './input-root.ts';

export interface RootContent {
  /** Directories and files, each once; those below what `isKnown` are left out. */
  readonly digests: ReadonlySet<Digest>;
  /** The directories among them. */
  readonly trees: ReadonlySet<Digest>;
  readonly source: BlobSource;
  /** True for what the source has. */
  readonly isHere: (digest: Digest) => boolean;
}

/** @param isKnown true for a tree of which the server has all. @throws MissingBlob for a directory that is not here */
export function rootContent(
  { digest, made, directories }: InputRoot,
  { blobs, trees }: Store,
  isKnown: (tree: Digest) => boolean,
): RootContent {
  const directoryOf = (tree: Digest): Directory | undefined => directories.get(tree) ?? trees.get(tree);
  const digests = new Set<Digest>();
  const walked = new Set<Digest>();
  const open = [digest];
  for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
    if (tree === emptyTree.digest || walked.has(tree) || isKnown(tree)) continue;
    const directory = directoryOf(tree);
    if (directory === undefined) throw new MissingBlob(tree);
    walked.add(tree);
    digests.add(tree);
    for (const node of directory.values()) {
      if (node.kind === 'tree') open.push(node.digest);
      else if (node.kind === 'blob') digests.add(node.digest);
    }
  }
  const ownBytes = (wanted: Digest): Uint8Array | undefined => {
    const own = made.get(wanted);
    if (own !== undefined || !walked.has(wanted)) return own;
    return encodeDirectory(trees.get(wanted)!);
  };
  return {
    digests,
    trees: walked,
    isHere: (wanted) => made.has(wanted) || walked.has(wanted) || blobs.has(wanted),
    source: {
      read: async (wanted) => ownBytes(wanted) ?? blobs.read(wanted),
      async *stream(wanted) {
        const own = ownBytes(wanted);
        if (own !== undefined) yield own;
        else yield* createReadStream(await blobs.verified(wanted)) as AsyncIterable<Uint8Array>;
      },
    },
  };
}
