import { expect, test } from 'vitest';
import { ShownLog } from '../../../engine/remote/shown-log.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function shown(mostBytes = 100) {
  const texts: string[] = [];
  return { log: new ShownLog((text) => texts.push(text), mostBytes), texts };
}

test('what was streamed of a log is not shown again with the rest of it', () => {
  const { log, texts } = shown();
  log.stream(bytes('one '), 0);
  log.stream(bytes('two '), 4);
  for (const piece of ['one', ' two t', 'hree']) log.rest(bytes(piece));
  log.end();
  expect(texts.join('|')).toBe('one |two |t|hree');
});

test('a log that was not streamed is shown whole', () => {
  const { log, texts } = shown();
  log.rest(bytes('all of it'));
  expect(texts).toEqual(['all of it']);
});

test('another try is shown from its start', () => {
  const { log, texts } = shown();
  log.stream(bytes('first try '), 0);
  log.stream(bytes('second '), 0);
  log.rest(bytes('second try'));
  expect(texts).toEqual(['first try ', 'second ', 'try']);
});

test('a character that is cut between two pieces, or between a stream and the rest, is shown whole', () => {
  const { log, texts } = shown();
  const letter = bytes('ä');
  log.stream(letter.subarray(0, 1), 0);
  log.rest(letter);
  log.end();
  expect(texts.join('')).toBe('ä');
});

test('no more of a stream is shown than a step may say', () => {
  const { log, texts } = shown(5);
  log.stream(bytes('0123'), 0);
  log.stream(bytes('4567'), 4);
  log.stream(bytes('89'), 8);
  expect(texts.join('')).toBe('01234');
});
