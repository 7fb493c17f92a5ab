// Amounts, tables, safe text, changed lines: the small things that every command prints with.

import { describe, expect, it } from 'vitest';
import { lineChanges } from '../../../cli/reports/line-changes.ts';
import { abbreviate, describeReason } from '../../../cli/render/names.ts';
import { plainLine, plainText } from '../../../cli/render/plain-text.ts';
import { tableLines } from '../../../cli/render/table.ts';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatProgress,
} from '../../../cli/render/units.ts';

describe('amounts', () => {
  it.each([
    [0, '0 ms'],
    [999.4, '999 ms'],
    [1000, '1.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1 m 00 s'],
    [65_000, '1 m 05 s'],
    [3_599_400, '59 m 59 s'],
    [3_600_000, '1 h 00 m'],
    [90_000_000, '25 h 00 m'],
  ])('write %d ms as %s', (durationMs, text) => expect(formatDuration(durationMs)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_940, '99.9 kB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [56_700_000, '56.7 MB'],
    [5_000_000_000, '5.0 GB'],
  ])('write %d bytes as %s', (sizeBytes, text) => expect(formatBytes(sizeBytes)).toBe(text));

  it('write a running clock in whole seconds', () => {
    expect([formatClock(400), formatClock(59_999), formatClock(61_500)]).toEqual(['0 s', '59 s', '1 m 01 s']);
  });

  it('write progress with one unit where both have it', () => {
    expect(formatProgress(3_200_000, 20_100_000)).toBe('3.2 of 20.1 MB');
    expect(formatProgress(999, 20_100_000)).toBe('999 B of 20.1 MB');
    expect(formatProgress(999, undefined)).toBe('999 B');
  });

  it('write counts with their noun', () => {
    expect([formatCount(1, 'file'), formatCount(12_345, 'file'), formatCount(0, 'entry', 'entries')]).toEqual(
      ['1 file', '12,345 files', '0 entries'],
    );
  });
});

describe('text from outside', () => {
  it('loses escape sequences, control characters and marks that reorder it', () => {
    expect(
      plainLine('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007\u0007\u0000\u0085'),
    ).toBe('red link');
    expect(plainLine('a\u202eb\u2066c')).toBe('abc');
    expect(plainLine('a\tb\nc')).toBe('a b c');
  });

  it('keeps lines and tabs where it is text', () => {
    expect(plainText('a\tb\n\u001b[1mc\u001b[0m\n')).toBe('a\tb\nc\n');
  });

  it('comes through unchanged when there is nothing in it', () => {
    expect(plainLine('grüße, 世界')).toBe('grüße, 世界');
  });
});

describe('tables', () => {
  it('align their columns and leave nothing trailing', () => {
    expect(
      tableLines(
        [
          ['a', '1', 'x'],
          ['bbb', '22', ''],
        ],
        ['left', 'right'],
      ),
    ).toEqual(['a     1  x', 'bbb  22']);
  });
});

describe('reasons', () => {
  it('name what changed, and only the first few', () => {
    expect(describeReason({ kind: 'changed', fields: ['env.A', 'argv[2]'] })).toBe('changed: env.A, argv[2]');
    expect(describeReason({ kind: 'input-changed', inputs: ['a', 'b', 'c', 'd', 'e'] })).toBe(
      'inputs changed: a, b, c and 2 more',
    );
    expect(abbreviate([])).toBe('');
  });
});

describe('changed lines', () => {
  it('come with a line around them', () => {
    expect(lineChanges('a\nb\nc\nd', 'a\nb\nX\nd')).toEqual(['  b', '- c', '+ X', '  d']);
    expect(lineChanges('a', 'a\nb')).toEqual(['  a', '+ b']);
    expect(lineChanges('', 'a')).toEqual(['- ', '+ a']);
  });

  it('are cut off when there are too many', () => {
    const many = Array.from({ length: 100 }, (_, at) => `line ${at}`).join('\n');
    expect(lineChanges('', many).at(-1)).toBe('  … and 61 more lines');
  });
});
