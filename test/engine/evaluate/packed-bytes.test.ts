import { expect, test } from 'vitest';
import { PackedBytes } from '../../../engine/evaluate/packed-bytes.ts';

const string = (sizeBytes: number, fill: number): Uint8Array => new Uint8Array(sizeBytes).fill(fill);

test('strings of any size come back as they were, whatever came between them', () => {
  const sizes = [0, 1, 65_535, 1, 65_536, 0, 300_000, 2, 1_000_000];
  const given = sizes.map((size, at) => string(size, at + 1));
  const packed = new PackedBytes();
  for (const bytes of given) packed.push(bytes);
  expect(given.map((bytes, at) => Buffer.compare(bytes, packed.at(at)))).toEqual(sizes.map(() => 0));
});

test('what was given is copied', () => {
  const packed = new PackedBytes();
  const bytes = string(3, 1);
  packed.push(bytes);
  bytes.fill(2);
  expect(packed.at(0)).toEqual(string(3, 1));
});

test('what is freed is gone at once, not with the list', () => {
  const packed = new PackedBytes();
  packed.push(string(100_000, 1));
  const view = packed.at(0);
  packed.free();
  expect(view.byteLength).toBe(0);
});
