// Each verdict is what git 2.39 says (git check-ignore --no-index), of names that no pattern ignores a directory above of.

import { expect, test } from 'vitest';
import { Patterns, bytesOf } from '../../../store/import/git/patterns.ts';

/** An ignore file's text, paths that it ignores, and paths that it does not; those of directories end with a slash. */
const cases: [string, string[], string[]][] = [
  ['foo', ['foo', 'a/foo', 'foo/'], ['food']],
  ['/foo', ['foo'], ['a/foo']],
  ['foo/', ['foo/', 'a/foo/'], ['foo']],
  ['a/foo', ['a/foo'], ['b/a/foo']],
  ['*.o', ['a.o', 'b/.o'], ['a.oo', 'o']],
  ['*', ['a', '.a'], []],
  ['a*c', ['ac', 'abbc'], ['abcd']],
  ['*a*b*c', ['xaybzc'], ['xcybza']],
  ['/*/b', ['a/b'], ['b', 'a/c/b']],
  ['a/*', ['a/b'], ['b/a/b']],
  ['a/**', ['a/b'], ['a']],
  ['**/b', ['b', 'a/b', 'a/c/b'], []],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab']],
  ['a/**b', ['a/b', 'a/xb'], ['a/x/b']],
  ['a**/b', ['a/b', 'ax/b', 'ax/y/b', 'ab'], []],
  ['**', ['a'], []],
  ['***', ['a'], []],
  ['a/***/b', ['a/b', 'a/x/y/b'], []],
  ['a**b', ['ab', 'axb'], []],
  ['a?c', ['abc'], ['ac', 'aéc']],
  ['a??c', ['aéc'], []],
  ['a/?b', ['a/xb'], []],
  ['[ab]', ['a', 'b'], ['c']],
  ['[!ab]', ['c'], ['a', 'é']],
  ['[^ab]', ['c'], ['a']],
  ['[a-c]x', ['bx'], ['dx']],
  ['[]a]', [']', 'a'], ['b']],
  ['[a-]', ['a', '-'], ['b']],
  ['[--0]', ['-', '0'], ['a']],
  ['[\\]a]', [']', 'a'], ['\\']],
  ['[a\\-c]', ['a', '-'], ['b']],
  ['[[:alpha:][:digit:]]', ['a', '7'], ['_']],
  ['[[:space:]]', [' '], []],
  ['[[:foo:]]', [], ['f']],
  ['[[:foo]', ['[', 'f'], ['x']],
  ['[[a]', ['[', 'a'], []],
  ['[a', [], ['[a', 'a']],
  ['[é]', [], ['é']],
  ['[é][é]', ['é'], []],
  ['a\\*', ['a*'], ['ab']],
  ['\\a', ['a'], ['\\a']],
  ['a\\', [], ['a\\', 'a']],
  ['\\#a', ['#a'], []],
  ['#a', [], ['#a', 'a']],
  ['\\!a', ['!a'], []],
  ['!a', [], ['a', '!a']],
  ['a\n!a', [], ['a']],
  ['!a\na', ['a'], []],
  ['a ', ['a'], ['a ']],
  ['a\\ ', ['a '], ['a']],
  ['a\\  ', ['a '], ['a  ']],
  [' a', [' a'], ['a']],
  ['a\t', ['a\t'], ['a']],
  ['a\r\nb\r\n', ['a', 'b'], []],
  ['a\rb', ['a\rb'], ['a']],
  ['\ufeffa', ['a'], []],
  ['A', ['A'], ['a']],
  ['/', [], ['a', 'a/']],
  ['//a', [], ['a']],
  ['a//', [], ['a', 'a/']],
  ['a//b', [], ['a/b']],
  ['é', ['é'], []],
  ['*/', ['a/'], ['a']],
  ['a/*/', ['a/b/'], ['a/b']],
  ['!a/\n*', ['a/', 'b/'], []],
  ['a/\\**', ['a/*b'], ['a/b']],
  ['\\[a]', ['[a]'], ['a']],
  ['**/*.o', ['a.o', 'x/a.o'], []],
  ['**/', ['a/'], ['a']],
  ['a/**/', ['a/b/'], ['a/b']],
];

function ignored(text: string, paths: readonly string[], ignoreCase = false): string[] {
  const patterns = new Patterns(bytesOf(text), { ignoreCase });
  return paths.filter(
    (path) => patterns.judge(bytesOf(path.replace(/\/$/, '')), path.endsWith('/')) === true,
  );
}

test.each(cases)('%j ignores %j, not %j', (text, some, others) => {
  expect(ignored(text, [...some, ...others])).toEqual(some);
});

test('where case is to be ignored, that of letters in ASCII is', () => {
  const paths = ['README', 'readme', 'rEADMEx', 'É', 'x', 'X'];
  expect(ignored('ReadMe\né\n[[:upper:]]', paths, true)).toEqual(['README', 'readme', 'x', 'X']);
});

test('a pattern full of stars takes no longer than its length times that of the name', () => {
  expect(ignored(`${'*a'.repeat(40)}b`, ['a'.repeat(200)])).toEqual([]);
});
