// How much a `write` may hold, which is one record of the store.

import { expect, test } from 'vitest';
import { checkAmount } from '../../../engine/model/check-files.ts';

// Never written to, and so no memory.
const bytes = new Uint8Array(2 ** 29);

test('files of a derivation are together what one record takes', () => {
  expect(() =>
    checkAmount('a', { a: { bytes }, b: { bytes }, c: { symlink: 'a' }, d: { text: '' } }),
  ).not.toThrow();
  for (const more of [{ text: 'x' }, { bytes: new Uint8Array(1) }])
    expect(() => checkAmount('a', { a: { bytes }, b: { bytes }, more })).toThrow(
      'a: its files have more than 1073741824 bytes together',
    );
});

test('text counts as UTF-8', () => {
  const text = 'x'.repeat(2 ** 28);
  expect(() => checkAmount('a', { a: { bytes }, b: { text }, c: { text } })).not.toThrow();
  expect(() => checkAmount('a', { a: { bytes }, b: { text }, c: { text: `${text}ä` } })).toThrow('more than');
});
