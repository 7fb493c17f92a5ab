// Records for a reader that takes its time.

import { expect, test } from 'vitest';
import { LeavingRecords } from '../../../cli/records/write-records.ts';
import { WaitingText, type StepText } from '../../../cli/render/step-text.ts';
import type { StepRef } from '../../../engine/index.ts';
import type { JsonRecord } from '../../../cli/records/definitions.ts';

const notice = (message: string): JsonRecord => ({ type: 'notice', message });

/** A reader that takes one text each time it is asked to. */
function slowReader() {
  const unread: string[] = [];
  const waiting: (() => void)[] = [];
  let read = '';
  const take = (): void => {
    read += unread.shift() ?? '';
    if (unread.length === 0) for (const done of waiting.splice(0)) done();
  };
  return {
    take,
    read: () => read,
    out: {
      write: (text: string | Uint8Array) => void unread.push(String(text)),
      isBehind: () => unread.length > 0,
      flush: () =>
        unread.length === 0 ? Promise.resolve() : new Promise<void>((done) => waiting.push(done)),
    },
  };
}

test('are made no faster than they are read, and come in order and all', async () => {
  const reader = slowReader();
  const records = new LeavingRecords(reader.out);
  let made = 0;
  const many = function* (): Generator<JsonRecord> {
    for (; made < 10_000; made++) yield notice(`${made} ${'x'.repeat(100)}`);
  };
  records.add(many());
  records.add([notice('last')]);
  expect(made).toBeLessThan(1_000);
  let isLeft = false;
  const left = records.left().then(() => (isLeft = true));
  for (let turn = 0; !isLeft; turn++) {
    reader.take();
    await new Promise(setImmediate);
    if (turn === 0) expect(made).toBeLessThan(2_000);
  }
  await left;
  const messages = reader
    .read()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { message: string }).message.split(' ')[0]);
  expect(messages).toEqual([...Array.from({ length: 10_000 }, (_, at) => String(at)), 'last']);
});

test('hold so much of what steps write, and say how much they left out', async () => {
  const reader = slowReader();
  const records = new LeavingRecords(reader.out);
  const waiting = new WaitingText(1_000);
  const step = { id: 'one', name: 'one', kind: 'run' } as StepRef;
  const show = ({ text, omittedBytes = 0 }: StepText): JsonRecord => notice(`${text.length} ${omittedBytes}`);
  const write = (text: string): void => records.add(waiting.of({ type: 'step-output', step, text }, show));
  for (let at = 0; at < 100; at++) write('ä'.repeat(100));
  records.add(waiting.endOf(step, show));
  for (let turn = 0; turn < 50; turn++) {
    reader.take();
    await new Promise(setImmediate);
  }
  write('more');
  records.add(waiting.endOf(step, show));
  for (let turn = 0; turn < 5; turn++) {
    reader.take();
    await new Promise(setImmediate);
  }
  const lines = reader.read().trimEnd().split('\n');
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  // One leaves at once, ten wait.
  expect(messages).toEqual([...Array.from({ length: 11 }, () => '100 0'), `0 ${89 * 200}`, '4 0']);
});

test('leave at once where they can', () => {
  const written: string[] = [];
  const records = new LeavingRecords({
    write: (text) => void written.push(String(text)),
    isBehind: () => false,
    flush: () => Promise.resolve(),
  });
  records.add([notice('now')]);
  expect(written.join('')).toContain('"now"');
});

test('end when the reader goes', async () => {
  const records = new LeavingRecords({
    write: () => undefined,
    isBehind: () => true,
    flush: () => Promise.reject(new Error('EPIPE')),
  });
  records.add([notice('1')]);
  await records.left();
  records.add([notice('2')]);
  await records.left();
});
