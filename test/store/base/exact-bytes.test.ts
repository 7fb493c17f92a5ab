// How exact numbers of bytes are worded.

import { expect, test } from 'vitest';
import { exactBytes } from '../../../store/base/exact-bytes.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [2, '2 bytes'],
  [65_536, '65536 bytes'],
])('%d is %s', (count, text) => {
  expect(exactBytes(count)).toBe(text);
});
