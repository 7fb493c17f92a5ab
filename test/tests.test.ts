// Of the tests themselves: what watches that they leave the machine alone sees what it has to see.

import { chmodSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changedSince, namesIn } from './support/machine-changes.ts';
import { tempFolder } from './support/temp-folder.ts';

it('tests have an empty home, and a temporary folder of their own', () => {
  expect(process.env['CAIRN_OWN_HOME']).toBeDefined();
  expect(homedir()).not.toBe(process.env['CAIRN_OWN_HOME']);
  expect(namesIn(homedir())).toEqual([]);
  expect(tempFolder().startsWith(`${tmpdir()}/`)).toBe(true);
  expect(tmpdir()).not.toBe('/tmp');
});

it.each<[what: string, change: (folder: string) => void, seen: readonly string[]]>([
  ['a new file', (folder) => writeFileSync(join(folder, 'etc/new'), ''), ['etc', 'etc/new']],
  ['a new link', (folder) => symlinkSync('nowhere', join(folder, 'etc/new')), ['etc', 'etc/new']],
  ['a file written again', (folder) => writeFileSync(join(folder, 'etc/file'), 'x'), ['etc/file']],
  ['a mode', (folder) => chmodSync(join(folder, 'etc/file'), 0o600), ['etc/file']],
  ['a file with an old time', (folder) => utimesSync(join(folder, 'etc/file'), 1, 1), ['etc/file']],
  [
    'another name',
    (folder) => renameSync(join(folder, 'etc/file'), join(folder, 'etc/name')),
    ['etc', 'etc/name'],
  ],
  ['nothing', () => undefined, []],
])('a change of the machine is seen: %s', async (_, change, seen) => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'etc/deep'), { recursive: true });
  writeFileSync(join(folder, 'etc/file'), '');
  // File systems keep times by the tick of the kernel's clock.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const sinceMs = Date.now() - 10;
  change(folder);
  expect(changedSince([folder], sinceMs)).toEqual(seen.map((path) => join(folder, path)));
});
