import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ChunkCutter, chunkSizes, type ChunkSizes } from '../../../store/chunking/chunk-cutter.ts';
import { packageRoot } from '../../../store/base/package-root.ts';
import { randomFrom } from '../../support/random.ts';

const golden = join(packageRoot, 'test/golden/chunking');
const image = readFileSync(join(golden, 'SekienAkashita.jpg'));
/** Of the vectors: a largest size that is odd. */
const imageSizes: ChunkSizes = { minBytes: 4096, averageBytes: 16384, maxBytes: 65535 };

interface Chunk {
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

// Lines of offset, length, SHA-256 and rolling hash, below a line that names the seed.
function vectorsOf(seed: number): Chunk[] {
  const text = readFileSync(join(golden, 'fastcdc2020_test_vectors.txt'), 'utf8');
  const [, after = ''] = text.split(`# Seed: ${seed}\n`);
  return after
    .split('# Seed')[0]!
    .trim()
    .split('\n')
    .map((line) => {
      const [offset, length, sha256 = ''] = line.split('\t');
      return { offset: Number(offset), length: Number(length), sha256 };
    });
}

function lengthsOf(pieces: Iterable<Uint8Array>, sizes: ChunkSizes, seed = 0): number[] {
  const cutter = new ChunkCutter(sizes, seed);
  const lengths = [...pieces].flatMap((piece) => cutter.push(piece));
  const last = cutter.end();
  return last === undefined ? lengths : [...lengths, last];
}

function chunksOf(bytes: Uint8Array, lengths: readonly number[]): Chunk[] {
  let offset = 0;
  return lengths.map((length) => {
    const sha256 = createHash('sha256')
      .update(bytes.subarray(offset, offset + length))
      .digest('hex');
    offset += length;
    return { offset: offset - length, length, sha256 };
  });
}

describe.each([0, 666])('with the seed %i', (seed) => {
  test('the vectors of the specification are cut as it says', () => {
    const lengths = lengthsOf([image], imageSizes, seed);
    expect(chunksOf(image, lengths)).toEqual(vectorsOf(seed));
  });
});

/** What the specification's implementations do, two bytes a turn, written down as it is there. */
function cutAtOnce(bytes: Uint8Array, { minBytes, averageBytes, maxBytes }: ChunkSizes): number[] {
  const [strict, loose] = [0x0000_5900_0353_0000n, 0x0000_0000_0180_3110n];
  const lengths: number[] = [];
  for (let start = 0; start < bytes.length; start += lengths.at(-1)!)
    lengths.push(lengthAt(bytes.subarray(start)));
  return lengths;

  function lengthAt(rest: Uint8Array): number {
    if (rest.length <= minBytes) return rest.length;
    const remaining = Math.min(rest.length, maxBytes);
    let hash = 0n;
    for (let pair = minBytes / 2; pair < Math.floor(remaining / 2); pair++)
      for (const at of [pair * 2, pair * 2 + 1]) {
        hash = BigInt.asUintN(64, (hash << 1n) + gearOf(rest[at]!));
        if ((hash & (pair < averageBytes / 2 ? strict : loose)) === 0n) return at;
      }
    return remaining;
  }
}

const gear = Array.from({ length: 256 }, (_, byte) =>
  createHash('md5').update(Buffer.alloc(64, byte)).digest().readBigUInt64BE(),
);
const gearOf = (byte: number): bigint => gear[byte]!;

function randomBytes(seed: number, sizeBytes: number): Buffer {
  const random = randomFrom(seed);
  return Buffer.from(Array.from({ length: sizeBytes }, () => random(256)));
}

describe('a stream', () => {
  // The masks of 256 bytes have 6 and 10 bits: cuts are frequent, and all of an end's parities come up.
  const small: ChunkSizes = { minBytes: 64, averageBytes: 256, maxBytes: 1024 };

  test('is cut as all at once, wherever it ends', () => {
    const bytes = randomBytes(1, 700);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      expect(lengthsOf([part], small), `${length} bytes`).toEqual(cutAtOnce(part, small));
    }
  });

  test('is cut the same in pieces of any size', () => {
    const bytes = randomBytes(2, 140_000);
    const whole = cutAtOnce(bytes, small);
    expect(lengthsOf([bytes], small)).toEqual(whole);
    for (const sizeBytes of [1, 2, 3, 63, 64, 65, 1000, 65_535, 65_536, 65_537]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / sizeBytes) }, (_, at) =>
        bytes.subarray(at * sizeBytes, (at + 1) * sizeBytes),
      );
      expect(lengthsOf(pieces, small), `pieces of ${sizeBytes}`).toEqual(whole);
    }
  });

  test('of one byte again and again has chunks of the largest size', () => {
    expect(lengthsOf([Buffer.alloc(2500)], small)).toEqual([1024, 1024, 452]);
  });

  test('without bytes has no chunk', () => {
    expect(lengthsOf([], small)).toEqual([]);
    expect(lengthsOf([Buffer.alloc(0)], small)).toEqual([]);
  });

  test('with bytes put in somewhere has the same chunks elsewhere', () => {
    const before = randomBytes(3, 100_000);
    const after = Buffer.concat([before.subarray(0, 50_000), Buffer.from('put in'), before.subarray(50_000)]);
    const known = new Set(chunksOf(before, lengthsOf([before], small)).map(({ sha256 }) => sha256));
    const fresh = chunksOf(after, lengthsOf([after], small)).filter(({ sha256 }) => !known.has(sha256));
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(5000);
  });

  test('can follow another in the same cutter', () => {
    const bytes = randomBytes(4, 10_000);
    const cutter = new ChunkCutter(small);
    const once = [...cutter.push(bytes), cutter.end()];
    expect([...cutter.push(bytes), cutter.end()]).toEqual(once);
  });
});

test('sizes are told for averages that the specification allows, and for no others', () => {
  expect(chunkSizes(512 * 1024)).toEqual({
    minBytes: 128 * 1024,
    averageBytes: 512 * 1024,
    maxBytes: 2048 * 1024,
  });
  for (const averageBytes of [0, 512, 1 << 21, 3000, 2048.5, Number.NaN])
    expect(chunkSizes(averageBytes), `${averageBytes}`).toBeUndefined();
});
