// Content for shelves that a test makes up, and what a client would send of it.

import { createHash } from 'node:crypto';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { encodeContentList } from '../../store/caches/content-list.ts';
import { encodePack } from '../../store/caches/pack.ts';
import { encodePieces, joined } from '../../store/caches/pieces.ts';
import { formatEntries, shortName, shortSubject } from '../../store/caches/record-index.ts';
import { encodeRecordPack } from '../../store/caches/record-pack.ts';
import { signRecord } from '../../store/caches/index.ts';
import { encodeDirectory, type Node, type SigningKey } from '../../store/index.ts';

export interface Upload {
  readonly path: string;
  readonly body: Uint8Array;
}

export interface ShelfTree {
  readonly top: Digest;
  readonly pack: Upload;
  readonly list: Upload;
}

/** A tree of one small file, in one pack. */
export async function shelfTree(text: string): Promise<ShelfTree> {
  const bytes = Buffer.from(text);
  const file = digestOf(bytes);
  const directory = encodeDirectory(new Map([['file', { kind: 'blob', digest: file, executable: false }]]));
  const top = digestOf(directory);
  const pack = await packOf([
    { digest: top, bytes: directory },
    { digest: file, bytes },
  ]);
  const list = await listOf(top, {
    packs: [{ name: pack.path.slice('/packs/'.length), holds: [top, file] }],
    alone: [],
  });
  return { top, pack, list };
}

export async function packOf(files: Parameters<typeof encodePack>[0]): Promise<Upload> {
  const body = await joined(encodePack(files));
  return { path: `/packs/${createHash('sha256').update(body).digest('hex')}`, body };
}

export async function listOf(top: Digest, list: Parameters<typeof encodeContentList>[0]): Promise<Upload> {
  return {
    path: `/content/${top.slice(0, 64)}`,
    body: await joined(encodePieces([encodeContentList(list)])),
  };
}

export interface ShelfRecord extends Upload {
  /** The index that leads to it, when it is the first. */
  readonly index: Upload;
  readonly bytes: Uint8Array;
}

export async function claimOf(action: Digest, out: Node, key: SigningKey): Promise<ShelfRecord> {
  const claim = { format: 1, action, outputs: { out }, revision: 1 } as const;
  return recordPackOf(action, signRecord({ kind: 'claim', claim }, key));
}

export async function recordPackOf(subject: Digest, bytes: Uint8Array): Promise<ShelfRecord> {
  const body = await encodeRecordPack([bytes]);
  const pack = shortName(body);
  const short = shortSubject(subject);
  const lines = formatEntries([{ subject: short, record: shortName(bytes), pack }]);
  return {
    path: `/records/${pack}`,
    body,
    bytes,
    index: { path: `/index/${short[0]}`, body: Buffer.from(lines) },
  };
}
