// How two files, or whatever is at one path of two trees, differ: in kind, in size, from which byte on.

import { open, type FileHandle } from 'node:fs/promises';
import type { Difference } from '../../engine/index.ts';
import { digestSize } from '../../store/base/digest.ts';
import { bug } from '../../store/base/errors.ts';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import type { BlobNode, Node, Store } from '../../store/index.ts';
import { plainLine } from '../render/plain-text.ts';

const chunkBytes = 2 ** 20;

export interface FileDifference {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: Side | undefined;
  readonly after: Side | undefined;
  /** Position of the first byte that differs, from 0, when both are files with different content. */
  readonly offset: number | undefined;
}

export interface Side {
  readonly kind: Node['kind'];
  readonly sizeBytes: number | undefined;
  readonly executable: boolean | undefined;
  readonly target: string | undefined;
}

/** Reads both files, if there are two, up to where they differ. @throws MissingBlob */
export async function describeDifference(
  { path, before, after }: Difference,
  store: Store,
): Promise<FileDifference> {
  const offset =
    before?.kind === 'blob' && after?.kind === 'blob' && before.digest !== after.digest
      ? await firstDifference(before, after, store)
      : undefined;
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { path, change, before: before && sideOf(before), after: after && sideOf(after), offset };
}

/** One line for people. */
export function differenceLine({ path, change, before, after, offset }: FileDifference): string {
  const name = plainLine(path === '' ? '(the file itself)' : path);
  if (change === 'added') return `+ ${name}  ${sideWords(after!)}`;
  if (change === 'removed') return `- ${name}  ${sideWords(before!)}`;
  const [old, young] = [sideWords(before!), sideWords(after!)];
  const sides = old === young ? old : `${old} → ${young}`;
  return `~ ${name}  ${sides}${offset === undefined ? '' : `, from byte ${offset}`}`;
}

function sideOf(node: Node): Side {
  return {
    kind: node.kind,
    sizeBytes: node.kind === 'blob' ? digestSize(node.digest) : undefined,
    executable: node.kind === 'blob' ? node.executable : undefined,
    target: node.kind === 'symlink' ? node.target : undefined,
  };
}

function sideWords({ kind, sizeBytes, executable, target }: Side): string {
  if (kind === 'symlink') return `link to ${plainLine(target!)}`;
  if (kind === 'tree') return 'folder';
  return `${executable === true ? 'program, ' : ''}${exactBytes(sizeBytes!)}`;
}

async function firstDifference(a: BlobNode, b: BlobNode, store: Store): Promise<number> {
  const [left, right] = await Promise.all(
    [a, b].map(({ digest, executable }) => store.blobs.path(digest, executable)),
  );
  await using before = await open(left!, 'r');
  await using after = await open(right!, 'r');
  const [one, other] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)];
  for (let position = 0; ; position += chunkBytes) {
    const [old, young] = await Promise.all([
      readChunk(before, one, position),
      readChunk(after, other, position),
    ]);
    const at = firstDifferenceOf(old, young);
    if (at !== undefined) return position + at;
    if (old.length === chunkBytes) continue;
    // Two contents with different digests are not the same: hashing them, which takes longer than comparing, says which
    // one is damaged.
    for (const { digest } of [a, b]) await store.blobs.verified(digest);
    bug(`${a.digest} and ${b.digest} are the same bytes`);
  }
}

/** What is there, as much as fits: a read may give less than there is. */
async function readChunk(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

// Whole buffers are compared by the processor's own means, byte by byte only the one that is known to differ.
function firstDifferenceOf(a: Buffer, b: Buffer): number | undefined {
  if (a.equals(b)) return undefined;
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return at;
  return common;
}
