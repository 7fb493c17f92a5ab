// Debian's version order, checked against the rules of deb-version(7).

import { expect, test } from 'vitest';
import { compareVersions, satisfies, upstreamVersion } from '../../../engine/lock/debian-version.ts';

test.each([
  ['1.0', '<', '1.1'],
  ['1.9', '<', '1.10'],
  ['1.0-1', '<', '1.0-2'],
  ['1.0-9', '<', '1:0.1-1'],
  ['1.0~rc1', '<', '1.0'],
  ['1.0~rc1-1', '<', '1.0~rc1-1+b1'],
  ['1.0~~', '<', '1.0~'],
  ['1.0', '<', '1.0a'],
  ['1.0a', '<', '1.0+'],
  ['1.0', '<', '1.0-1'],
  ['1.0-1', '<', '1.0-1.1'],
  ['2.5-1~deb13u1', '<', '2.5-1'],
  ['1.2-3-4', '<', '1.2-3-5'],
  ['a', '<', 'b'],
  ['1.0', '=', '1.00'],
  ['0:1.0', '=', '1.0'],
  ['1.0', '=', '1.0-0'],
  ['20250216123456789012345', '<', '20250216123456789012346'],
])('%s %s %s', (a, sign, b) => {
  const order = sign === '=' ? 0 : -1;
  expect(Math.sign(compareVersions(a, b))).toBe(order);
  expect(Math.sign(compareVersions(b, a)) + 0).toBe(0 - order);
});

test.each([
  ['1:5.46-5', '5.46'],
  ['1.35+dfsg-3.1', '1.35+dfsg'],
  ['1.2-3-4', '1.2-3'],
  ['12.4', '12.4'],
])('the upstream version of %s is %s', (version, upstream) => {
  expect(upstreamVersion(version)).toBe(upstream);
});

test.each([
  ['2', '>=', '2', true],
  ['2', '>>', '2', false],
  ['1', '<<', '2', true],
  ['2', '<=', '1', false],
  ['2-1', '=', '2-1', true],
] as const)('%s %s %s is %s', (version, relation, bound, holds) => {
  expect(satisfies(version, relation, bound)).toBe(holds);
});
