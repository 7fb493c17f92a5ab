// The files were written by git 2.39, and have five paths: a/b/one, a/b/two, a/three (in version 3 marked as not in the work
// tree), é, and one of 125 bytes.

import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TrackedPaths, UnreadableIndex, parseIndex } from '../../../store/import/git/index-file.ts';
import { bytesOf } from '../../../store/import/git/patterns.ts';
import { indexOf } from '../write-repository.ts';

/** Deflated, in base64. */
const written = {
  'version 2':
    'eNpz8QxyZmBgYAJi1mweUQnT1H19MJqB4R8Dg07tGwaGxiUMSODZ3EezN1285uzdrbmuPOrGoSc9wRMZ2BP1k/Tz81KB8jjM' +
    'eU28OSXl+bjNeUWsOSUZRakw95iF7qmE0VBzXhBlTm1Ofl66fsUAAbC7cLj/JVHuZzq8Eiafx5m4114tTJLrw8o/jPnftgd8' +
    '/xgIANKwtf8=',
  'version 3':
    'eNpz8QxyZmBgYAZi1mweUUk240suMJqB4R8Dg07tGwaGxiUMSODZ3EezN1285uzdrbmuPOrGoSc9wRMZ2BP1k/Tz81KB8mD9' +
    'PnNSYTTUnNfEm1NSno/bnFfEmOPA7sCQqF+SUZSaisucF0S5pzYnPy9dv2KAANhdONz/kij3Mx1eCZNfaRZwYbnuDybGudzW' +
    'qwvllePy18sDAI6Dr1g=',
  'version 4':
    'eNpz8QxyZmBgYAFi1mweUUmR3W8XwmgGhn8MDDq19xgYGpcwIIFncx/N3nTxmrN3t+a68qgbh570BE9kYGdI1E/Sz89LZcBh' +
    'zF3ijGEuKc/HZcQd4oxgLckoSsXpjltEGVLLnpOfl65fMUAAl+NvE+V4ptrDKxlWb5oy94L0khe8zD9faT4/8bnmuQYPAM3+' +
    'u4o=',
  'version 2, SHA-256':
    'eNpz8QxyZmBgYAJi1mweUUmVfv6tMJqB4R8Dg07tCQaGxiUMSMDdit/H+sVKs8ZF6Y83vlx+55Zgq3P+Q8fvJRMVFjMXSQgz' +
    'sCfqJ+nn56VC1YPN+xS4FkZDzT1Onrkl5fn4zT1GjrklGUWpBNx7hGRza3Py89L1KwYI4PLHUZL9wXR4JUjd4vcvqs+utz11' +
    'gLlTNG/y96y4BqPGs78PLrTbalWVfI3DAACe2Mzu',
  split:
    'eNpz8QxyZmBgYAJixmweUUlt68PlMJqB4R8Dg07tfwaGxiUMSODZ3EezN1285uzdrbmuPOrGoSc9wRNB4jmZedlAyoXpmrFz' +
    'w+YTX3zfyE3h/1QtuyLg/z6oVkYGVMAItZsJTYwhx+bpecaP336WszIdlFm0rHLOhUvXAQ4ULWA=',
};

function fileOf(name: keyof typeof written): Buffer {
  return inflateSync(Buffer.from(written[name], 'base64'));
}

const long = `long/${'x'.repeat(120)}`;

test.each([
  ['version 2', 20],
  ['version 3', 20],
  ['version 4', 20],
  ['version 2, SHA-256', 32],
] as const)('an index of %s tells what is tracked', (name, hashBytes) => {
  const tracked = parseIndex(fileOf(name), hashBytes);
  for (const path of ['a/b/one', 'a/b/two', 'a/three', 'é', long])
    expect(tracked.has(bytesOf(path))).toBe(true);
  for (const path of ['a', 'a/b', 'a/b/tw', 'a/b/two2', 'a/c', 'z', ''])
    expect(tracked.has(path)).toBe(false);
  for (const path of ['a', 'a/b', 'long']) expect(tracked.hasBelow(path)).toBe(true);
  for (const path of ['a/three', 'a/b/one', 'b', 'lon', 'z']) expect(tracked.hasBelow(path)).toBe(false);
});

test('a split index is refused: half of it is in another file', () => {
  expect(() => parseIndex(fileOf('split'), 20)).toThrow(new UnreadableIndex('is split'));
});

test('the id of a directory follows what is tracked below it, and nothing else', () => {
  const id = (paths: readonly string[], directory: string): string =>
    parseIndex(indexOf(paths), 20).idBelow(directory);
  expect(id(['a/x', 'b/y'], 'a')).toBe(id(['a/x', 'a-', 'a0', 'c'], 'a'));
  expect(id(['a/x', 'b/y'], 'a')).not.toBe(id(['a/x', 'a/y'], 'a'));
  expect(id(['a/x', 'b/y'], '')).not.toBe(id(['a/x'], ''));
  expect(id(['x'], '')).toBe(id(['x'], ''));
});

test('whatever is done to an index, it is read or refused', () => {
  const random = seededRandom(7);
  for (const name of ['version 2', 'version 3', 'version 4'] as const)
    for (let round = 0; round < 2000; round++) {
      const bytes = Buffer.from(fileOf(name));
      for (let changes = 1 + random(4); changes > 0; changes--) bytes[random(bytes.length)] = random(256);
      const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
      try {
        expect(parseIndex(cut, 20)).toBeInstanceOf(TrackedPaths);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableIndex);
      }
    }
});

/** Numbers below a limit, the same in every run. */
function seededRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
