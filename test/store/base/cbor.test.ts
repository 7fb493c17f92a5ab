import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { decodeCbor, encodeCbor, readCbor, type CborValue } from '../../../store/base/cbor.ts';

const hex = (value: CborValue): string => Buffer.from(encodeCbor(value)).toString('hex');

// RFC 8949, appendix A, for the values of our domain.
test.each<[CborValue, string]>([
  [0, '00'],
  [23, '17'],
  [24, '1818'],
  [1000000, '1a000f4240'],
  [1000000000000, '1b000000e8d4a51000'],
  [Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
  [-1, '20'],
  [-1000, '3903e7'],
  [-(2 ** 32), '3affffffff'],
  [-(2 ** 32) - 1, '3b0000000100000000'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  ['', '60'],
  ['ü', '62c3bc'],
  ['水', '63e6b0b4'],
  ['𐅑', '64f0908591'],
  [new Uint8Array([1, 2, 3, 4]), '4401020304'],
  [[1, [2, 3]], '8201820203'],
  [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
])('%j is encoded as the standard says', (value, expected) => {
  expect(hex(value)).toBe(expected);
  expect(decodeCbor(encodeCbor(value))).toEqual(value);
});

test('keys are ordered by length, then by bytes, whatever their order or kind', () => {
  const keys = ['aa', 'b', 'a', '10', '9', 'é', 'ab', 'constructor', 'toJSON', 'z', '水'];
  const encodings = [keys, [...keys].reverse(), [...keys].sort()].map((order) =>
    hex(Object.fromEntries(order.map((key) => [key, 0]))),
  );
  expect(new Set(encodings).size).toBe(1);
  const written = Object.keys(decodeCbor(Buffer.from(encodings[0]!, 'hex')) as object);
  expect(written.filter((key) => key !== '9' && key !== '10')).toEqual([
    'a',
    'b',
    'z',
    'aa',
    'ab',
    'é',
    '水',
    'toJSON',
    'constructor',
  ]);
});

test('a key may be __proto__, at any depth, beside one that differs from it in a character', () => {
  const value = {
    list: [
      Object.fromEntries([
        ['__proto__', 'a'],
        ['__proto_', 'b'],
        ['constructor', 'c'],
      ]),
    ],
  };
  const bytes = encodeCbor(value);
  for (const decoded of [decodeCbor(bytes), readCbor(bytes)]) {
    const [map] = (decoded as { list: Record<string, string>[] }).list;
    expect(Object.entries(map!)).toEqual([
      ['__proto_', 'b'],
      ['__proto__', 'a'],
      ['constructor', 'c'],
    ]);
    expect(hex(decoded)).toBe(hex(value));
  }
});

test('text that has __proto__ in it is text', () => {
  const value = {
    a: 'in __proto__ out',
    b: [1, null, true],
    c: new Uint8Array([1]),
    d: { e: -5_000_000_000 },
  };
  expect(readCbor(encodeCbor(value))).toEqual(value);
  expect(decodeCbor(encodeCbor(value))).toEqual(value);
});

test('members that are undefined are not there', () => {
  expect(hex({ a: 1, b: undefined })).toBe(hex({ a: 1 }));
});

test('values of another realm are encoded as ours are', () => {
  const foreign = runInNewContext(`({ list: [1, { a: 'b' }], bytes: new Uint8Array([1, 2]) })`) as CborValue;
  expect(hex(foreign)).toBe(hex({ list: [1, { a: 'b' }], bytes: new Uint8Array([1, 2]) }));
});

test.each<[string, unknown]>([
  ['a fraction', 1.5],
  ['not a number', NaN],
  ['an integer that is not exact', 2 ** 53],
  ['negative zero', -0],
  ['half a character', '\ud800'],
  ['a key with half a character', { '\ud800': 1 }],
  ['a function', () => 1],
  ['undefined', undefined],
  ['a list with undefined in it', [undefined]],
  ['a bigint', 1n],
])('%s is refused', (_, value) => {
  expect(() => encodeCbor(value as CborValue)).toThrow(/^bug: /);
});

test.each([
  ['keys out of order', 'a2616201616101'],
  ['a key that is there twice', 'a2616101616102'],
  ['an integer longer than it need be', '1817'],
  ['a float', 'f93c00'],
  ['an indefinite length', '9f01ff'],
  ['something after the end', '0000'],
  ['a missing end', '8201'],
  ['nothing', ''],
])('%s is not canonical, and not decoded', (_, encoded) => {
  expect(() => decodeCbor(Buffer.from(encoded, 'hex'))).toThrow(
    expect.objectContaining({ code: 'STORE_CORRUPT' }) as Error,
  );
});
