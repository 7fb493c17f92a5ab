import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keepFailedLog, lastFailedLog, newLogPath } from '../../../engine/sandbox/failed-logs.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const there = { executor: 'grpcs://build.example', worker: 'w3', queuedMs: 12, executedMs: 8400.5 };

function logFolder() {
  const store = tempFolder('failed-logs');
  const folder = join(store, 'logs');
  mkdirSync(folder);
  let seconds = 0;
  const fail = (name: string, elsewhere?: typeof there): string => {
    const path = newLogPath(folder, name);
    writeFileSync(path, name);
    seconds += 1;
    utimesSync(path, seconds, seconds);
    keepFailedLog(folder, path, elsewhere);
    return path;
  };
  return { store, folder, fail };
}

test('the last log of a step is found with where that was done, whatever else has failed since', () => {
  const { store, fail } = logFolder();
  fail('sed', there);
  expect(lastFailedLog(store, 'sed')?.place).toMatchObject(there);
  const path = fail('sed');
  fail('sed-doc', there);
  expect(lastFailedLog(store, 'sed')).toEqual({ path, place: 'here' });
  expect(lastFailedLog(store, 'doc')).toBeUndefined();
});

test('a log beside which nothing is noted, or what makes no sense, says nothing of where it was done', () => {
  const { store, folder } = logFolder();
  const path = newLogPath(folder, 'sed');
  writeFileSync(path, 'old');
  expect(lastFailedLog(store, 'sed')).toEqual({ path, place: undefined });
  for (const text of ['', '{"elsewhere":{"execu', 'null', '{"elsewhere":{"executor":1}}']) {
    writeFileSync(path.replace(/log$/, 'json'), text);
    expect(lastFailedLog(store, 'sed')).toEqual({ path, place: undefined });
  }
});

test('the newest hundred are kept, each with what is noted beside it', () => {
  const { store, folder, fail } = logFolder();
  fail('first', there);
  for (let at = 0; at < 99; at++) fail('other', there);
  expect(lastFailedLog(store, 'first')?.place).toMatchObject(there);
  fail('last');
  expect(lastFailedLog(store, 'first')).toBeUndefined();
  expect(lastFailedLog(store, 'last')?.place).toBe('here');
  const kinds = readdirSync(folder).map((name) => name.split('.').at(-1));
  expect([kinds.length, kinds.filter((kind) => kind === 'log').length]).toEqual([200, 100]);
});
