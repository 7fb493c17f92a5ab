// Archives that are odd and still read alike by GNU tar, Info-ZIP and libarchive, and what is said of those that are not
// read: the true reason. What those programs make of them was tried with the programs themselves.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { bzip2Of, xzOf } from './compress.ts';
import {
  arOf,
  debControl,
  debVersion,
  paxEntry,
  tarBlocks,
  tarEnd,
  tarOf,
  zipOf,
  zstdOf,
  type ArMember,
  type TarEntry,
} from './make-archives.ts';
import { useRig } from './rig.ts';

const rig = useRig();
const a: TarEntry = { name: 'a', data: 'one' };
const b: TarEntry = { name: 'b', data: 'two' };
const plus = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

describe('a block of zeros ends a tar, whatever comes behind it:', () => {
  test.each<[string, Buffer]>([
    ['another archive', plus(tarOf([a]), tarOf([b]))],
    ['entries behind one block', plus(...tarBlocks(a), Buffer.alloc(512), ...tarBlocks(b), tarEnd)],
    ['junk', plus(tarOf([a]), Buffer.from('junk'.repeat(999)))],
    ['a part of a block', plus(tarOf([a]), Buffer.alloc(100))],
    ['junk that was compressed with it', gzipSync(plus(tarOf([a]), Buffer.from('junk'.repeat(999))))],
  ])('%s', async (_, archive) => {
    expect(await rig.contentOf(archive)).toEqual({ a: 'file one' });
  });

  test('GNU tar says the same', () => {
    const folder = tempFolder('tar');
    execFileSync('tar', ['-C', folder, '-xf', rig.write(plus(tarOf([a]), tarOf([b])))]);
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).toBe('a\n');
  });
});

describe('a link has no data', () => {
  const old = { magic: '\0\0\0\0\0\0\0\0' };
  test.each<[string, TarEntry]>([
    ['a symlink with the length of its target', { name: 'l', type: '2', link: 'a', size: 1 }],
    ["a hard link with its file's, in ustar", { name: 'l', type: '1', link: 'a', size: 3 }],
    ["a hard link with its file's, in v7", { name: 'l', type: '1', link: 'a', size: 3, ...old }],
    [
      "a hard link with its file's, in GNU's form",
      { name: 'l', type: '1', link: 'a', size: 3, magic: 'ustar  \0' },
    ],
  ])('%s', async (_, link) => {
    const l = link.type === '2' ? 'symlink a' : 'file one';
    expect(await rig.contentOf(tarOf([a, link, b]))).toEqual({ a: 'file one', l, b: 'file two' });
  });

  test('but in pax, and where no header follows', async () => {
    const link = { name: 'l', type: '1', link: 'a', data: 'one' };
    const expected = { a: 'file one', l: 'file one', b: 'file two' };
    expect(await rig.contentOf(tarOf([a, link, b]))).toEqual(expected);
    expect(await rig.contentOf(tarOf([a, paxEntry({ comment: 'x' }), link, b]))).toEqual(expected);
  });
});

describe('a global pax header', () => {
  const global = (records: Readonly<Record<string, string>>): TarEntry => ({
    ...paxEntry(records),
    type: 'g',
  });
  const l: TarEntry = { name: 'l', type: '2', link: 'a' };

  // GNU tar heeds them, libarchive does not.
  test.each<[string, readonly TarEntry[]]>([
    ['path', [global({ path: 'g' }), a]],
    ['path', [a, global({ path: 'g' }), b]],
    ['path', [global({ path: 'g' }), paxEntry({ comment: 'x' }), a]],
    ['path', [global({ path: 'g' }), global({ comment: 'x' }), a]],
    ['path', [global({ path: 'g' }), paxEntry({ path: 'h' }), a, b]],
    ['linkpath', [a, global({ linkpath: 'b' }), l]],
    ['size', [global({ size: '512' }), a]],
    ['GNU.sparse.map', [global({ 'GNU.sparse.map': '0,3', 'GNU.sparse.size': '3' }), a]],
  ])('that would change an entry is refused: %s', async (key, entries) => {
    const refusal = await rig.refusal(tarOf(entries));
    expect(refusal.code).toBe('ARCHIVE_MALFORMED');
    expect(refusal.message).toContain(`a global pax header says "${key}" of its entry `);
  });

  test.each<[string, TarEntry, readonly TarEntry[]]>([
    ['other things', global({ comment: 'x', mtime: '5' }), [a]],
    ['what the entry says, too', global({ path: 'a', size: '3', linkpath: 'x' }), [a]],
    ['what the entry says otherwise itself', global({ path: 'g' }), [paxEntry({ path: 'a' }), a]],
    ['what it takes back', global({ path: 'g' }), [global({ path: '' }), a]],
  ])('may say %s', async (_, first, rest) => {
    expect(await rig.contentOf(tarOf([first, ...rest]))).toEqual({ a: 'file one' });
  });
});

test('a checksum of signed bytes is one', async () => {
  const signed = (name: string): TarEntry => {
    const high = [...Buffer.from(name)].filter((byte) => byte >= 0x80).length;
    const usual = parseInt(tarBlocks({ name, data: 'x' })[0]!.toString('latin1', 148, 154), 8);
    return { name, data: 'x', checksum: usual - high * 256 };
  };
  expect(await rig.contentOf(tarOf([signed('größe'), signed('straße')]))).toEqual({
    größe: 'file x',
    straße: 'file x',
  });
});

test('capabilities are noticed as bsdtar writes them, too', async () => {
  const records = { 'LIBARCHIVE.xattr.security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA' };
  const refusal = await rig.refusal(tarOf([paxEntry(records), a]));
  expect(refusal.message).toContain('its entry "a" has file capabilities');
});

describe('a zip', () => {
  const entry = { name: 'a', data: 'one' };
  const content = { a: 'file one' };

  test.each<[string, Buffer]>([
    ['a line break', Buffer.from('\n')],
    ['zeros', Buffer.alloc(512)],
  ])('is read with %s behind it', async (_, rest) => {
    expect(await rig.contentOf(plus(zipOf([entry]), rest))).toEqual(content);
    expect(await rig.contentOf(plus(Buffer.from('#!/bin/sh\n'), zipOf([entry]), rest))).toEqual(content);
  });

  test("of a pipe's data has an ordinary file", async () => {
    expect(await rig.contentOf(zipOf([{ ...entry, mode: 0o010644 }]))).toEqual(content);
  });

  test.each([0, 10, 11, 14])('made on system %d may have backslashes between names', async (host) => {
    const zip = zipOf([{ ...entry, name: 'd\\e\\a', host, mode: 0 }]);
    expect(await rig.contentOf(zip)).toEqual({ 'd/e/a': 'file one' });
    expect((await rig.refusal(zipOf([{ ...entry, name: '..\\a', host, mode: 0 }]))).code).toBe(
      'ARCHIVE_HOSTILE',
    );
  });

  test('made on Unix has backslashes in names', async () => {
    expect(await rig.contentOf(zipOf([{ ...entry, name: 'd\\a' }]))).toEqual({ 'd\\a': 'file one' });
  });

  test.each<[string, number, (data: Buffer) => Buffer | Promise<Buffer>]>([
    ['bzip2', 12, bzip2Of],
    ['zstd', 93, zstdOf],
    ['xz', 95, xzOf],
  ])('may be compressed with %s', async (_, method, compress) => {
    const stored = await compress(Buffer.from('one'));
    expect(await rig.contentOf(zipOf([{ ...entry, method, stored }, { name: 'z' }]))).toEqual({
      ...content,
      z: 'file ',
    });
    const lies = await rig.refusal(zipOf([{ ...entry, method, stored, size: 4 }]));
    expect(lies.message).toContain('its entry "a" has not the size that is said');
  });

  test.each([
    [9, 'Deflate64 (method 9)'],
    [14, 'LZMA (method 14)'],
    [77, 'a method (method 77)'],
  ])('compressed with method %d is refused for that', async (method, name) => {
    const refusal = await rig.refusal(zipOf([{ ...entry, method }]));
    expect(refusal.message).toContain(`its entry "a" is compressed with ${name}, which cairn does not know`);
  });
});

describe('what is no archive is called what it is:', () => {
  const padded = (text: string, at = 0): Buffer => {
    const bytes = Buffer.alloc(0x9000);
    bytes.write(text, at, 'latin1');
    return bytes;
  };
  test.each<[string, Buffer, string]>([
    ['7z', padded('7z\xbc\xaf\x27\x1c'), 'a 7-Zip archive'],
    ['cpio', padded('070701'), 'a cpio archive'],
    ['an old deb', padded('0.939000\n282\n'), 'a Debian package of the format before 2.0'],
    ['lzip', padded('LZIP\x01'), 'an lzip file'],
    ['compress', padded('\x1f\x9d\x90'), 'a compress (.Z) file'],
    ['lz4', padded('\x04\x22\x4d\x18'), 'an lz4 file'],
    ['an image of a CD, which begins with zeros', padded('CD001', 0x8001), 'an ISO 9660 image'],
    ['a page of a server', Buffer.from('\n<!DOCTYPE html><html>log in'), 'a web page'],
  ])('%s', async (_, bytes, name) => {
    expect((await rig.refusal(bytes)).message).toContain(`it is ${name}, and cairn reads tar, zip and deb`);
  });

  test('zeros with something behind them are no empty tar', async () => {
    const refusal = await rig.refusal(padded('x', 0x8800));
    expect(refusal.message).toContain('it starts like an empty tar, but is none');
  });
});

test('what follows xz data is said to be that', async () => {
  const xz = await xzOf(tarOf([a]));
  for (const rest of ['x', '\n', 'junk'.repeat(99)])
    expect((await rig.refusal(plus(xz, Buffer.from(rest)))).message).toContain(
      'something follows its xz data',
    );
});

describe('a deb', () => {
  const data = { name: 'data.tar', data: tarOf([a]) };
  const own = (name: string): ArMember => ({ name, data: Buffer.from('own\n') });

  test('may have members of its own anywhere behind the first', async () => {
    const members = [debVersion, own('_gpg'), debControl, own('_x'), data, own('later')];
    expect(await rig.contentOf(arOf(members))).toEqual({ a: 'file one' });
  });

  test('has its control before its data', async () => {
    expect((await rig.refusal(arOf([debVersion, data, debControl]))).message).toContain(
      'it is a Debian package with "data.tar" before control.tar, which dpkg takes for none',
    );
  });
});

test('a zip of 990 entries in bzip2 is read', async () => {
  const stored = bzip2Of(Buffer.from('one'));
  const entries = Array.from({ length: 990 }, (_, n) => ({
    name: join('d', String(n)),
    data: 'one',
    method: 12,
    stored,
  }));
  expect(Object.keys(await rig.contentOf(zipOf(entries)))).toHaveLength(990);
});
