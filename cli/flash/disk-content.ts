// What goes onto a device: pieces of files, and where. From a whole image, or from the parts of one.

import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import { readDescription } from '../images/description.ts';
import { findDiskFile } from '../images/disk-file.ts';
import { parseBlockMap, type Range } from './block-map.ts';

export interface DiskContent {
  /** How large a device has to be. */
  readonly sizeBytes: number;
  readonly pieces: readonly Piece[];
}

/** A range of a file, and where on the device it goes. */
export interface Piece extends Range {
  readonly path: string;
  readonly offsetBytes: number;
}

interface Output {
  readonly folder: string;
  /** What a person calls it. */
  readonly what: string;
}

/** The content of an image's disk file. @throws UserError `USAGE`, `OUTPUT_INVALID`. */
export async function contentOfImage(image: Output): Promise<DiskContent> {
  const { path, sizeBytes, mapPath } = await findDiskFile(image);
  return { sizeBytes, pieces: await piecesOf(path, { mapPath, offsetBytes: 0 }) };
}

/** The same content from its parts: partition table and partitions, each a file. @throws UserError as above. */
export async function contentOfParts(output: Output): Promise<DiskContent> {
  const { sizeBytes, parts } = await readDescription(output, 'layout.json');
  const pieces: Piece[] = [];
  for (const { file, offsetBytes } of parts) {
    const path = join(output.folder, file);
    pieces.push(...(await piecesOf(path, { mapPath: `${path}.bmap`, offsetBytes })));
  }
  const end = Math.max(0, ...pieces.map((piece) => piece.offsetBytes + piece.sizeBytes));
  if (end <= sizeBytes) return { sizeBytes, pieces };
  throw new UserError(
    'OUTPUT_INVALID',
    `${output.what}: its parts do not fit into ${exactBytes(sizeBytes)}`,
    {
      hint: 'Build the image again.',
    },
  );
}

/** How much of it is to be written. */
export function writtenBytes({ pieces }: DiskContent): number {
  return pieces.reduce((sum, piece) => sum + piece.sizeBytes, 0);
}

/** The first bytes of the disk, as many as asked for or as there are; what has no piece is zero. */
export async function firstBytes({ sizeBytes, pieces }: DiskContent, count: number): Promise<Buffer> {
  const first = Buffer.alloc(Math.min(count, sizeBytes));
  for (const piece of pieces) {
    const length = Math.min(piece.sizeBytes, first.length - piece.offsetBytes);
    if (length <= 0) continue;
    const bytes = await bytesAt(piece, length);
    bytes.copy(first, piece.offsetBytes);
  }
  return first;
}

async function bytesAt({ path, startByte }: Piece, length: number): Promise<Buffer> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, startByte);
  return buffer.subarray(0, bytesRead);
}

// Without a map, nobody knows which zeros matter: all is written.
async function piecesOf(
  path: string,
  { mapPath, offsetBytes }: { readonly mapPath: string | undefined; readonly offsetBytes: number },
): Promise<Piece[]> {
  const { size: sizeBytes } = await stat(path);
  const map = mapPath === undefined ? undefined : await readMap(mapPath);
  const ranges: readonly Range[] =
    map === undefined
      ? [{ startByte: 0, sizeBytes, checksum: undefined }]
      : parseBlockMap(map, { what: mapPath!, sizeBytes });
  return ranges.map((range) => ({ ...range, path, offsetBytes: offsetBytes + range.startByte }));
}

async function readMap(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
