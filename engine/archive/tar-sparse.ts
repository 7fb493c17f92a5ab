// Sparse files in tar archives: only what is not a hole is stored, and a map says where it goes. Of GNU tar's four forms
// only pax 0.1 is known here, which plain-tar.ts makes of the others (GNU tar manual, "Storing Sparse Files").

import { malformed, shown } from './bad-archive.ts';
import type { OutputMeter } from './limits.ts';

export interface SparseMap {
  /** In order of their offsets, none over another. */
  readonly pieces: readonly SparsePiece[];
  /** Of the file with its holes. */
  readonly sizeBytes: number;
}

interface SparsePiece {
  readonly at: number;
  readonly sizeBytes: number;
}

/** The map of an entry with `storedBytes` of data, when its pax records make it a sparse file. */
export function sparseMapOf(
  pax: Readonly<Record<string, string | undefined>>,
  storedBytes: number,
  name: string,
): SparseMap | undefined {
  const isSparse = Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'));
  if (!isSparse) return undefined;
  const map = pax['GNU.sparse.map'] ?? '';
  const numbers = map === '' ? [] : map.split(',').map(wholeNumber);
  const sizeBytes = wholeNumber(pax['GNU.sparse.realsize'] ?? pax['GNU.sparse.size'] ?? '');
  return (
    checked(numbers, sizeBytes, storedBytes) ?? malformed(`its sparse file ${shown(name)} has no proper map`)
  );
}

/** The file, holes and all, from what is stored. Holes are counted here; what is stored has been. */
export async function* withHoles(
  stored: AsyncIterable<Buffer>,
  { pieces, sizeBytes }: SparseMap,
  meter: OutputMeter,
): AsyncGenerator<Buffer, void, undefined> {
  const holes = function* (bytes: number): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= zeroBytes.length) {
      const hole = zeroBytes.subarray(0, left);
      meter.add(hole.length);
      yield hole;
    }
  };
  const waiting = pieces.filter((piece) => piece.sizeBytes > 0).values();
  let [at, end] = [0, 0];
  for await (let chunk of stored) {
    while (chunk.length > 0) {
      if (at === end) {
        const piece = waiting.next().value ?? malformed('its sparse file is longer than its map');
        yield* holes(piece.at - at);
        [at, end] = [piece.at, piece.at + piece.sizeBytes];
      }
      const part = chunk.subarray(0, end - at);
      at += part.length;
      chunk = chunk.subarray(part.length);
      yield part;
    }
  }
  yield* holes(sizeBytes - at);
}

const zeroBytes = Buffer.alloc(64 * 1024);

function checked(
  numbers: readonly (number | undefined)[],
  sizeBytes: number | undefined,
  storedBytes: number,
): SparseMap | undefined {
  const pieces: SparsePiece[] = [];
  let [end, sum] = [0, 0];
  for (let n = 0; n < numbers.length; n += 2) {
    const [at, length] = [numbers[n], numbers[n + 1]];
    if (at === undefined || length === undefined || at < end) return undefined;
    end = at + length;
    sum += length;
    pieces.push({ at, sizeBytes: length });
  }
  return sizeBytes !== undefined && end <= sizeBytes && sum === storedBytes
    ? { pieces, sizeBytes }
    : undefined;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
