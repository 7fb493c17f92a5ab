// What a machine says, read piece by piece: a text is found however it comes.

import { describe, expect, it } from 'vitest';
import { ConsoleReader } from '../../../cli/images/console-reader.ts';

/** The pieces in which a text comes when it is cut after every `size` characters. */
function cut(text: string, size: number): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
}

describe('a text that is awaited', () => {
  it.each([1, 2, 3, 7, 1000])('is found in pieces of %i characters', (size) => {
    const console =
      'Linux version 6.12\r\n\x1b[?25l[\x1b[0;32m  OK  \x1b[0m] Started \x1b]0;title\x07cairn.\r\nlogin: ';
    const reader = new ConsoleReader(['6.12\n[  OK  ] Started cairn.', 'login: ', 'title']);
    const found = cut(console, size).flatMap((piece) => reader.read(piece));
    expect(found).toEqual(['6.12\n[  OK  ] Started cairn.', 'login: ']);
    expect(reader.missing).toEqual(['title']);
  });

  it('is found in whatever order, and once', () => {
    const reader = new ConsoleReader(['one', 'two', 'one']);
    expect(reader.read('two, two, ')).toEqual(['two']);
    expect(reader.read('one, one')).toEqual(['one']);
    expect(reader.missing).toEqual([]);
  });

  it('is not found in parts that were said apart', () => {
    const reader = new ConsoleReader(['abcd']);
    expect(['ab', 'x', 'cd', 'abc', '\n', 'd'].flatMap((piece) => reader.read(piece))).toEqual([]);
  });

  it('is found after a sequence that never ends', () => {
    const reader = new ConsoleReader(['login:']);
    reader.read(`\x1b]${'x'.repeat(5000)}`);
    expect(reader.read('\nlogin:')).toEqual(['login:']);
  });
});

describe('what is kept of the console', () => {
  it('is its last lines that say something, however much it says', () => {
    const reader = new ConsoleReader(['never'], { keptLines: 3 });
    for (let line = 0; line < 10_000; line++) reader.read(`line ${line}\r\n\r\n`);
    reader.read('the rest');
    expect(reader.lastLines).toEqual(['line 9998', 'line 9999', 'the rest']);
    reader.read('x'.repeat(100_000));
    expect(reader.lastLines.at(-1)!.length).toBeLessThanOrEqual(2000);
  });

  it('has what Linux says when it panics', () => {
    const reader = new ConsoleReader(['never']);
    for (const piece of cut('[    1.0] Kernel panic - not syncing: no init\r\n', 5)) reader.read(piece);
    expect(reader.panic).toBe('Kernel panic - not syncing: no init');
  });
});
