// Names in a boot partition: whatever fat32 and every computer can hold is there letter by letter, the rest is one error.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFat, type FatFile } from '../../support/fat-reader.ts';
import type { Files, ImageProjects } from '../../support/image-project.ts';
import { stepErrors } from '../../support/step-errors.ts';

const names = [
  'a[1]',
  'a[1',
  '[!a]',
  '{a,b}',
  '$HOME `id` %20 #1 ~',
  'größe.txt',
  'Straße',
  'strasse',
  'ΑΒΓ αβγ',
  'кириллица.длинное',
  '日本語の名前.txt',
  '🗻 and more.txt',
  'CAPITALS.TXT',
  'Mixed.Txt',
  'lower',
  '.hidden',
  '..twice.hidden',
  ' a space first',
  'two  spaces.and.dots...x',
  'longna~1.txt',
  'LONGNA~2.TXT',
  ...Array.from({ length: 120 }, (_, at) => `longname${at}.txt`),
  'longname.txt more',
  'a+b=c;d,e',
  '-n',
  '@file',
  'console.txt',
  'com',
  'com10',
  'nul_',
  'config.txt.bak',
  'thirteen long', // A row of a long name has 13 letters.
  'thirteen long and no more!',
  'x'.repeat(255),
  `${'ä'.repeat(127)}b`,
  '字'.repeat(85),
];

/** The files of a folder of these names, each with a content of its own. */
const files = Object.fromEntries(names.map((name, at) => [name, `${at}`]));

/** The tests; `open` gives the projects of the file that they are in. */
export function describeBootNames(open: () => ImageProjects): void {
  const made = async (boot: Files): Promise<readonly FatFile[]> => {
    const folder = (await open().project({ boot }).build('mbr')).folder('mbr');
    const { partitions } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
      partitions: { role: string; offsetBytes: number }[];
    };
    const { offsetBytes } = partitions.find(({ role }) => role === 'boot')!;
    return readFat(readFileSync(join(folder, 'mbr.img')), offsetBytes);
  };

  it('are there letter by letter, with content, and short names that are not those of others', async () => {
    const all = await made({ names: { ...files, 'a[2]': { 'größe[1]': files } } });
    for (const folder of ['names/', 'names/a[2]/größe[1]/']) {
      const there = all.filter(
        ({ path }) => path.startsWith(folder) && !path.slice(folder.length).includes('/'),
      );
      const inFiles = there.filter((file) => !file.folder);
      expect(
        Object.fromEntries(
          inFiles.map(({ path, content }) => [path.slice(folder.length), content.toString()]),
        ),
      ).toEqual(files);
      const shorts = there.map(({ short }) => short);
      expect(new Set(shorts).size).toBe(shorts.length);
      for (const short of shorts)
        expect(short).toMatch(/^[A-Z0-9!#$%&'()@^_`{}~-]{1,8}(\.[A-Z0-9!#$%&'()@^_`{}~-]{1,3})?$/);
      // Who opens a file by its short name must not get another one's.
      const long = new Map(there.map(({ path, short }) => [path.slice(folder.length).toUpperCase(), short]));
      for (const { path, short } of there) expect(long.get(short) ?? short, path).toBe(short);
    }
    expect(new Set(all.map(({ changed }) => changed)).size).toBe(1);
    const short = (name: string) => all.find(({ path }) => path === `names/${name}`)?.short;
    expect(['Mixed.Txt', 'CAPITALS.TXT', 'größe.txt', '.hidden'].map(short)).toEqual([
      'MIXED.TXT',
      'CAPITALS.TXT',
      'GR__E~1.TXT',
      'HIDDEN~1',
    ]);
  });

  it.each<[string, Files, string]>([
    [
      'in capitals of other alphabets',
      { a: { ГРАФ: '', граф: '' } },
      'a/ГРАФ and a/граф of the boot partition are one name in fat32',
    ],
    [
      'in how an accent is written',
      { a: { ä: '', 'a\u0308': '' } },
      'a/a\u0308 and a/ä of the boot partition are one name in fat32',
    ],
    [
      'a backslash',
      { 'a\\b': '' },
      'a\\b of the boot partition has a name that fat32 cannot hold: "\\" is not for names',
    ],
    [
      'a folder with a space at its end',
      { 'end ': { a: '' } },
      'end  of the boot partition has a name that fat32 cannot hold: it ends with a space',
    ],
    [
      'a device with an ending',
      { a: { 'Nul .tar.gz': '' } },
      'a/Nul .tar.gz of the boot partition has a name that Windows cannot open: Nul is a device there',
    ],
  ])('are refused, all in one line: %s', async (_, boot, says) => {
    const text = await open().project({ boot }).failure('mbr');
    expect(stepErrors(text)).toEqual([`error: ${says}`]);
    expect(text).toContain('failed mbr-boot-partition@aarch64-linux');
    expect(text).not.toContain('built mbr-disk');
  });

  it('are refused when there are more than a folder can hold', async () => {
    const many = Object.fromEntries(Array.from({ length: 3200 }, (_, at) => [`${'x'.repeat(250)}${at}`, '']));
    const text = await open().project({ boot: { many } }).failure('mbr');
    expect(stepErrors(text)).toEqual([
      'error: many of the boot partition has 3,200 names, which take 67,202 rows of the 65,536 that a folder of fat32 has; ' +
        'spread them over several folders',
    ]);
  });
}
