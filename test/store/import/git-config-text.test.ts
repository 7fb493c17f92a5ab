import { expect, test } from 'vitest';
import { parseConfig } from '../../../store/import/git/config-text.ts';

function settings(text: string): Record<string, string | undefined> {
  return Object.fromEntries(parseConfig(text).map(({ key, value }) => [key, value]));
}

test('settings have the names of their sections, and values without what surrounds them', () => {
  expect(
    settings(
      '\ufeff# a comment\r\n[Core]\r\n\texcludesFile =  ~/a b.txt   ; why\r\n  bare\n[a "B \\"c\\\\"] d-E=1#2\n[x.y]z = \n',
    ),
  ).toEqual({ 'core.excludesfile': '~/a b.txt', 'core.bare': undefined, 'a.B "c\\.d-e': '1', 'x.y.z': '' });
});

test('quotes keep spaces and comments, backslashes escape, and join lines', () => {
  expect(settings('[a]\nb = " x;y "z  w\nc = 1\\\n  2\nd = \\"\\t\\n\\\\\ne=""\nlast = x')).toEqual({
    'a.b': ' x;y z  w',
    'a.c': '1  2',
    'a.d': '"\t\n\\',
    'a.e': '',
    'a.last': 'x',
  });
});

test('of settings with one name, all are told, in their order', () => {
  expect(parseConfig('[a]b=1\nb=2')).toEqual([
    { key: 'a.b', value: '1' },
    { key: 'a.b', value: '2' },
  ]);
});

test.each([
  ['[a]\nb = "x\ny"', 2],
  ['[a', 1],
  ['[a]\n\nb c', 3],
  ['[a]\nb = \\x', 2],
  ['[a "b]\nc = 1', 1],
  ['[a]\n= 1', 2],
])('%j is refused as git refuses it, by its line', (text, line) => {
  expect(() => parseConfig(text)).toThrow(expect.objectContaining({ line }));
});
