// Debian's version order, checked against the rules of deb-version(7).

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  compareVersions,
  satisfies,
  upstreamVersion,
  versionProblem,
} from '../../../engine/lock/debian-version.ts';

const pairs: readonly (readonly [string, '<' | '=', string])[] = [
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
  // Of what random pairs met: 3,500 valid ones, each compared by dpkg as well, and none was ordered otherwise.
  ['00:1', '=', '1'],
  ['1:0', '<', '2147483647:0'],
  ['1:1:2-1', '<', '1:1:3-1'],
  ['0', '=', '0-0'],
  ['0', '=', '000'],
  ['0', '<', '0-00.'],
  ['1-~', '<', '1'],
  ['1-~~', '<', '1-~'],
  ['1~-1', '<', '1-1'],
  ['1~0', '<', '1'],
  ['1~', '<', '1~0a'],
  ['1~', '=', '1~0'],
  ['1.~', '<', '1.'],
  ['1Z', '<', '1a'],
  ['1a', '<', '1a+'],
  ['1z', '<', '1+'],
  ['1+', '<', '1.'],
  ['1.0+b1', '<', '1.0.1'],
  ['1a1', '<', '1a01b'],
  ['1.0-1', '<', '1.0-1+'],
  ['1-1', '<', '1-1-1'],
  ['1-1-1', '<', '1.0-1'],
  ['9', '<', '10'],
  ['1.09', '<', '1.10'],
  ['99999999999999999999', '<', '100000000000000000000'],
];

test.each(pairs)('%s %s %s', (a, sign, b) => {
  const order = sign === '=' ? 0 : -1;
  expect(Math.sign(compareVersions(a, b))).toBe(order);
  expect(Math.sign(compareVersions(b, a)) + 0).toBe(0 - order);
});

// As dpkg(1) judges them.
const none: readonly (readonly [string, string])[] = [
  ['', 'it is empty'],
  ['1.0-', 'its revision is empty'],
  ['-', 'its revision is empty'],
  ['1:', 'it is empty'],
  ['-1', 'it is empty'],
  ['1:-1', 'it is empty'],
  [':1', 'its epoch is no number'],
  ['a:1', 'its epoch is no number'],
  ['1.0:2', 'its epoch is no number'],
  ['-1:1', 'its epoch is no number'],
  ['2147483648:1', 'its epoch is too large'],
  ['99999999999999999999:1', 'its epoch is too large'],
];

test.each(none)('%j is no version: %s', (version, problem) => {
  expect(versionProblem(version)).toBe(problem);
});

test('each of these pairs is of versions', () => {
  expect(
    pairs.flatMap(([a, , b]) => [a, b]).filter((version) => versionProblem(version) !== undefined),
  ).toEqual([]);
});

const dpkg = (...words: readonly string[]): number | null =>
  spawnSync('dpkg', ['--compare-versions', ...words], { stdio: 'ignore' }).status;

test.skipIf(dpkg('1', 'eq', '1') !== 0)('dpkg says the same of all of them', () => {
  for (const [a, sign, b] of pairs) expect([a, b, dpkg(a, sign === '=' ? 'eq' : 'lt', b)]).toEqual([a, b, 0]);
  // One that begins with a minus would be an option, and an empty one is older than all.
  for (const [version] of none.filter(([text]) => /^[^-]/.test(text)))
    expect([version, dpkg(version, 'lt', '1')]).toEqual([version, 2]);
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
