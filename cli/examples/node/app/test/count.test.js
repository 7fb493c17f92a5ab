import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from '../src/count.js';

test('the most frequent word comes first', () => {
  assert.deepEqual(count('one two two'), [
    ['two', 2],
    ['one', 1],
  ]);
});
