// How two files, or whatever is at one path of two trees, differ: in kind, in size, from which byte on.

import { createReadStream } from 'node:fs';
import type { Difference } from '../../engine/index.ts';
import { digestSize } from '../../store/base/digest.ts';
import type { BlobNode, Node, Store } from '../../store/index.ts';
import { plainLine } from '../render/plain-text.ts';

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
  return `${executable === true ? 'program, ' : ''}${sizeBytes!} bytes`;
}

async function firstDifference(a: BlobNode, b: BlobNode, store: Store): Promise<number> {
  const [left, right] = await Promise.all(
    [a, b].map(async ({ digest }) => chunksOf(await store.blobs.verified(digest))),
  );
  let position = 0;
  for (;;) {
    const [one, other] = await Promise.all([left!.next(), right!.next()]);
    if (one.done === true || other.done === true) return position;
    const differs = one.value.findIndex((byte, at) => byte !== other.value[at]);
    if (differs >= 0) return position + differs;
    if (one.value.length !== other.value.length)
      return position + Math.min(one.value.length, other.value.length);
    position += one.value.length;
  }
}

// Chunks of one size, so that both files are cut at the same places.
async function* chunksOf(path: string): AsyncGenerator<Buffer, void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 64 * 1024 })) yield chunk as Buffer;
}
