// Archives as the common programs make them (corpus/make.sh says how): each is read as those programs read it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { useRig } from './rig.ts';

const rig = useRig();
const folder = join(import.meta.dirname, 'corpus');

const tree = {
  'p/text': 'file hello\n',
  'p/program': 'program #!/bin/sh\n',
  'p/link': 'symlink text',
  'p/größe': 'file u',
  'p/empty': 'folder',
};
const { 'p/link': link, ...withoutLink } = tree;

/** What is not read, and why. */
const refused: Readonly<Record<string, RegExp>> = {
  'xz-arm64.tar.xz': /its xz data went through the filter ARM64, which cairn does not know/,
};

const archives = readdirSync(folder).filter((name) => name !== 'make.sh');

test('there are archives of every program', () => {
  const programs = new Set(archives.map((name) => name.split('-')[0]));
  expect([...programs].sort()).toEqual(
    ['7z', 'bsdtar', 'bzip2', 'dpkgdeb', 'gnutar', 'infozip', 'python', 'xz', 'zstd'].sort(),
  );
});

test.each(archives.filter((name) => refused[name] === undefined))('%s is read', async (name) => {
  // Python's zipfile follows symlinks.
  const expected = name === 'python-zipfile.zip' ? withoutLink : { ...withoutLink, 'p/link': link };
  expect(await rig.contentOf(join(folder, name))).toEqual(expected);
});

test.each(Object.entries(refused))('%s is refused for its true reason', async (name, reason) => {
  const error = await rig.refusal(join(folder, name));
  expect(error.code).toBe('ARCHIVE_MALFORMED');
  expect(error.message).toMatch(reason);
});

test.each([
  [0x0b, 'RISC-V'],
  [0x0c, 'number 0xc'],
])('an xz filter that is still newer is named: %d', async (id, name) => {
  const bytes = readFileSync(join(folder, 'xz-arm64.tar.xz'));
  const header = bytes.subarray(12, 12 + bytes[12]! * 4);
  header[2] = id;
  bytes.writeUInt32LE(crc32(header), 12 + header.length);
  const archive = join(tempFolder('xz'), 'archive.tar.xz');
  writeFileSync(archive, bytes);
  expect((await rig.refusal(archive)).message).toContain(`went through the filter ${name}, which`);
});
