// Archives that must not be unpacked: each gives one clear error that names it, and leaves nothing behind.

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../store/base/errors.ts';
import {
  arOf,
  debControl,
  debOf,
  debVersion,
  paxEntry,
  tarBlocks,
  tarOf,
  zipOf,
  zstdOf,
  zstdZeros,
} from './make-archives.ts';
import { bzip2Of, xzBlocksOf, xzOf } from './compress.ts';
import { useRig, type RigOptions } from './rig.ts';

const rig = useRig();

type Case = readonly [
  what: string,
  archive: Buffer | (() => Buffer | Promise<Buffer>),
  says: RegExp,
  options?: RigOptions,
];

const file = { name: 'dir/file', data: 'content' };
const good = tarOf([file]);
const bytes = (...values: number[]): Buffer => Buffer.from(values);
const changed = (buffer: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(buffer);
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
};
const without = (buffer: Buffer, lastBytes: number): Buffer => buffer.subarray(0, buffer.length - lastBytes);
const plus = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

const blocks = xzBlocksOf(
  tarOf([{ name: 'f', data: Buffer.from(Array.from({ length: 20_000 }, (_, n) => n * n)) }]),
);

const hostile: readonly Case[] = [
  ['a name that climbs out', tarOf([{ name: '../escape', data: 'x' }]), /"..\/escape" leads out/],
  [
    'a name that climbs out half-way',
    tarOf([{ name: 'a/../../escape', data: 'x' }]),
    /"a\/..\/..\/escape" leads out/,
  ],
  ['a name that climbs and stays inside', tarOf([{ name: 'a/../b', data: 'x' }]), /leads out/],
  [
    'a name that climbs out of what is stripped',
    tarOf([{ name: '../../a/b', data: 'x' }]),
    /leads out/,
    { strip: 2 },
  ],
  ['a folder that climbs out', tarOf([{ name: '../', type: '5' }]), /"..\/" leads out/],
  ['an absolute name', tarOf([{ name: '/etc/passwd', data: 'x' }]), /"\/etc\/passwd" has an absolute name/],
  ['an absolute name in pax', tarOf([paxEntry({ path: '/etc/passwd' }), file]), /absolute name/],
  [
    'a climbing long name',
    tarOf([{ name: '././@LongLink', type: 'L', data: `${'a/'.repeat(90)}../../x\0` }, file]),
    /leads out/,
  ],
  [
    'writing through a symlink',
    tarOf([
      { name: 'a', type: '2', link: '/etc' },
      { name: 'a/passwd', data: 'x' },
    ]),
    /"a\/passwd" treats the symlink "a" as a folder/,
  ],
  [
    'writing through a symlink to a symlink',
    tarOf([
      { name: 'b', type: '2', link: '.' },
      { name: 'a', type: '2', link: 'b' },
      { name: 'a/x', data: 'x' },
    ]),
    /treats the symlink "a"/,
  ],
  [
    'writing through a file',
    tarOf([
      { name: 'a', data: 'x' },
      { name: 'a/b', data: 'x' },
    ]),
    /treats the file "a" as a folder/,
  ],
  [
    'a folder over a symlink',
    tarOf([
      { name: 'a', type: '2', link: '/' },
      { name: 'a/', type: '5' },
    ]),
    /treats the symlink "a"/,
  ],
  [
    'a file over a symlink',
    tarOf([
      { name: 'a', type: '2', link: '/etc/passwd' },
      { name: 'a', data: 'x' },
    ]),
    /would replace a symlink by a file/,
  ],
  [
    'a symlink over a file',
    tarOf([
      { name: 'a', data: 'x' },
      { name: 'a', type: '2', link: '/' },
    ]),
    /would replace a file by a symlink/,
  ],
  ['a file over a folder', tarOf([file, { name: 'dir', data: 'x' }]), /would replace a folder by a file/],
  [
    'a symlink over a folder',
    tarOf([file, { name: 'dir', type: '2', link: '/' }]),
    /would replace a folder by a symlink/,
  ],
  ['a hard link to outside', tarOf([{ name: 'a', type: '1', link: '../../etc/passwd' }]), /leads out/],
  [
    'a hard link to an absolute name',
    tarOf([{ name: 'a', type: '1', link: '/etc/passwd' }]),
    /absolute name/,
  ],
  [
    'a hard link over a folder',
    tarOf([file, { name: 'a/b', data: 'x' }, { name: 'dir', type: '1', link: 'a/b' }]),
    /would replace a folder by a file/,
  ],
  ['a character device', tarOf([{ name: 'dev/null', type: '3' }]), /"dev\/null" is a device/],
  ['a block device', tarOf([{ name: 'dev/sda', type: '4' }]), /"dev\/sda" is a device/],
  ['a fifo', tarOf([{ name: 'pipe', type: '6' }]), /"pipe" is a fifo/],
  ['a device in a deb', debOf(tarOf([{ name: './dev/null', type: '3' }])), /is a device/],
  [
    'a path 100,000 folders deep',
    tarOf([paxEntry({ path: `${'a/'.repeat(100_000)}b` }), file]),
    /longer than 2048 bytes/,
  ],
  [
    'a path 1,000 folders deep',
    tarOf([paxEntry({ path: `${'a/'.repeat(1000)}b` }), file]),
    /more than 256 folders deep/,
  ],
  ['a climbing name in a zip', zipOf([{ name: '../escape', data: 'x' }]), /leads out/],
  ['an absolute name in a zip', zipOf([{ name: '/etc/passwd', data: 'x' }]), /absolute name/],
  [
    'writing through a symlink in a zip',
    zipOf([
      { name: 'a', data: '/etc', mode: 0o120777 },
      { name: 'a/b', data: 'x' },
    ]),
    /treats the symlink "a"/,
  ],
  ['a device in a zip', zipOf([{ name: 'null', mode: 0o020644 }]), /is a device or socket/],
];

const tooLarge: readonly Case[] = [
  [
    'ten gigabytes in one file',
    gzipSync(tarOf([{ name: 'zeros', size: 10 * 2 ** 30 }])),
    /"zeros" it would unpack to more than the 269 MB/,
  ],
  [
    'ten gigabytes of zeros',
    zstdZeros(10 * 2 ** 30),
    /unpacks to more than the 66 MB that it may, an archive of 1 MB/,
    { limits: { freeBytes: 0 } },
  ],
  [
    'a hundred files of 20 MB',
    plus(...hundredFiles()),
    /with its entry "zeros-2" it would unpack to more than the 50 MB/,
    { limits: { freeBytes: 50_000_000 } },
  ],
  [
    'more than an archive may ever be',
    tarOf([{ name: 'big', size: 2 ** 40 }]),
    /would unpack to more than the/,
    { limits: { ratio: Infinity } },
  ],
  [
    'sizes that grow without headers',
    gzipSync(Buffer.alloc(3_000_000)),
    /unpacks to more than the 2 MB/,
    { limits: { freeBytes: 2_000_000, ratio: 2 } },
  ],
  [
    'a sparse file of a terabyte',
    tarOf([paxEntry({ 'GNU.sparse.size': String(2 ** 40), 'GNU.sparse.map': '0,7' }), file]),
    /"dir\/file" it would unpack to more than the 269 MB/,
  ],
  [
    'many sparse files',
    tarOf(
      [1, 2, 3].flatMap((n) => [
        paxEntry({ 'GNU.sparse.size': String(10 ** 6), 'GNU.sparse.map': '0,7' }),
        { name: `sparse-${n}`, data: 'content' },
      ]),
    ),
    /"sparse-3" it would unpack to more than the 3 MB/,
    { limits: { freeBytes: 2_500_000, ratio: 2 } },
  ],
  [
    'too many entries',
    tarOf([1, 2, 3, 4].map((n) => ({ name: `file-${n}` }))),
    /more than 3 entries/,
    { limits: { entries: 3 } },
  ],
  [
    'too many folders that are only implied',
    tarOf([{ name: 'a/b/c/d' }]),
    /more than 3 entries/,
    { limits: { entries: 3 } },
  ],
  [
    'a zip of four gigabytes',
    zipOf([{ name: 'zeros', data: 'x', isDeflated: true, size: 0xffff_fffe }]),
    /would unpack to more than/,
  ],
];

const malformed: readonly Case[] = [
  ['nothing at all', Buffer.alloc(0), /it is empty/],
  ['a text', Buffer.from('hello\n'.repeat(200)), /no archive that cairn knows/],
  ['a few bytes', Buffer.from('hello'), /no archive that cairn knows/],
  [
    'a compressed single file',
    gzipSync(Buffer.from('hello\n'.repeat(200))),
    /single gzip file, not an archive/,
  ],
  ['a compressed short file', gzipSync(Buffer.from('hello')), /single gzip file/],
  ['a tar with a wrong checksum', tarOf([{ ...file, checksum: 1 }]), /first tar header has a wrong checksum/],
  [
    'a later header with a wrong checksum',
    tarOf([file, { ...file, checksum: 1 }]),
    /damaged or cut short after entry "dir\/file"/,
  ],
  ['a tar cut in a header', plus(...tarBlocks(file), Buffer.alloc(100, 1)), /cut short after entry/],
  [
    'a tar cut in a file',
    tarOf([{ name: 'f', data: 'x'.repeat(2000) }]).subarray(0, 1024),
    /cut short after entry "f"/,
  ],
  ['a tar cut between entries', tarOf([file], Buffer.alloc(0)), /cut short after entry/],
  ['a tar cut after a pax header', tarOf([file, paxEntry({ path: 'x' })], Buffer.alloc(0)), /cut short/],
  ['a size that is no number', changed(tarOf([{ ...file, checksum: 0 }]), 0, 0), /wrong checksum/],
  ['a negative size', tarOf([{ name: 'negative', size: -512 }]), /damaged or cut short/],
  ['an entry of an unknown kind', tarOf([{ ...file, type: 'Z' }]), /a kind that cairn does not read/],
  [
    'a sparse file without a map',
    tarOf([{ ...file, type: 'S' }]),
    /sparse file "dir\/file" has no proper map/,
  ],
  [
    'a sparse file whose map is not there',
    tarOf([paxEntry({ 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '9' }), file]),
    /damaged or cut short/,
  ],
  ...['4,4,0,3', '0,9', '0,7,9,0', '0,6', '0,7,', '0,-7', 'x'].map((map): Case => [
    `a sparse file whose map is ${map}`,
    tarOf([paxEntry({ 'GNU.sparse.size': '8', 'GNU.sparse.map': map }), file]),
    /no proper map|damaged pax header/,
  ]),
  [
    'a later part of a larger tar',
    tarOf([{ ...file, type: 'M' }]),
    /goes on with "dir\/file" from another volume/,
  ],
  [
    'a damaged pax header',
    tarOf([{ name: 'pax', type: 'x', data: '99 path=a\n' }, file]),
    /damaged pax header/,
  ],
  [
    'an enormous pax header',
    tarOf([{ name: 'pax', type: 'x', size: 5_000_000 }]),
    /has a header of 5000000 bytes/,
  ],
  ['an entry without a name', tarOf([{ name: '', data: 'x' }]), /without a name/],
  ['a file called "."', tarOf([{ name: '.', data: 'x' }]), /"\." is a file without a name/],
  ['a file called "/"', tarOf([{ name: '/', type: '2', link: 'x' }]), /"\/" is a file without a name/],
  ['a NUL in a name', tarOf([paxEntry({ path: 'a\0b' }), file]), /NUL/],
  ['a part of 256 bytes', tarOf([paxEntry({ path: 'a'.repeat(256) }), file]), /longer than 255 bytes/],
  [
    'a name that is not UTF-8',
    tarOf([{ name: bytes(0x61, 0xff), data: 'x' }]),
    /"aÿ" has a name that is not UTF-8/,
  ],
  ['a pax name that is not UTF-8', tarOf([paxEntry({ path: bytes(0x61, 0xff) }), file]), /not UTF-8/],
  [
    'a symlink target that is not UTF-8',
    tarOf([paxEntry({ linkpath: bytes(0xff) }), { name: 'a', type: '2', link: 'b' }]),
    /not UTF-8/,
  ],
  ['a symlink to nothing', tarOf([{ name: 'a', type: '2' }]), /symlink "a" has no possible target/],
  [
    'a symlink to more than a path',
    tarOf([paxEntry({ linkpath: 'a/'.repeat(3000) }), { name: 'a', type: '2', link: 'b' }]),
    /no possible target/,
  ],
  [
    'a hard link to nothing',
    tarOf([{ name: 'a', type: '1', link: 'missing' }]),
    /"a" is to "missing", which does not come before it/,
  ],
  [
    'a hard link to a later file',
    tarOf([{ name: 'a', type: '1', link: 'dir/file' }, file]),
    /does not come before it/,
  ],
  ['a hard link to a folder', tarOf([file, { name: 'a', type: '1', link: 'dir' }]), /is to a folder/],
  [
    'a hard link to what is stripped',
    tarOf([{ name: 'dir/a', type: '1', link: 'top' }]),
    /does not come before it/,
    { strip: 1 },
  ],
  ['a gzip that is cut short', without(gzipSync(good), 4), /gzip data is cut short/],
  ['a gzip with a wrong checksum', changed(gzipSync(good), -8, 0), /gzip data is damaged/],
  [
    'a gzip with something behind it',
    plus(gzipSync(good), Buffer.from('junk')),
    /something follows its gzip data/,
  ],
  [
    'a gzip with one byte behind it',
    plus(gzipSync(good), Buffer.from('x')),
    /or a few bytes follow that are none/,
  ],
  ['an xz that is cut short', async () => without(await xzOf(good), 8), /xz data is damaged or cut short/],
  [
    'an xz with a wrong checksum',
    async () => {
      const xz = await xzOf(good);
      return changed(xz, 32, xz[32]! ^ 1);
    },
    /xz data is damaged/,
  ],
  [
    'an xz with damage in a later block',
    changed(blocks, blocks.length >> 1, blocks[blocks.length >> 1]! ^ 0x55),
    /xz data is damaged/,
  ],
  ['an xz whose index lies', changed(blocks, -20, blocks.at(-20)! ^ 1), /xz data is damaged/],
  [
    'an xz with something behind it',
    async () => plus(await xzOf(good), Buffer.from('junk')),
    /something follows its xz data/,
  ],
  ['a bzip2 that is cut short', () => without(bzip2Of(good), 8), /bzip2 data is damaged or cut short/],
  ['a bzip2 with a wrong checksum', () => changed(bzip2Of(good), 10, 0), /bzip2 data is damaged/],
  [
    'a bzip2 that is cut short behind its data',
    () => without(bzip2Of(good), 3),
    /bzip2 data is damaged or cut short/,
  ],
  [
    'a bzip2 with a wrong checksum of its stream',
    () => changed(bzip2Of(good), -3, bzip2Of(good).at(-3)! ^ 0x10),
    /bzip2 data (has a wrong checksum|is damaged)/,
  ],
  [
    'a bzip2 whose second stream is damaged',
    () => plus(bzip2Of(good), changed(bzip2Of(good), 5, 0)),
    /bzip2 data is damaged/,
  ],
  ['a zstd that is cut short', without(zstdOf(good), 3), /zstd data is/],
  [
    'a zstd with a wrong checksum',
    changed(zstdOf(good), -1, 0),
    /zstd data (has a wrong checksum|is damaged)/,
  ],
  ...['junk', 'x', '\0', '\0'.repeat(512)].map((rest, at): Case => [
    `a zstd with something behind it (${at})`,
    plus(zstdOf(good), Buffer.from(rest)),
    /something other than zstd data is between or after its zstd frames/,
  ]),
  ['an ar that is no deb', arOf([{ name: 'main.o/', data: Buffer.from('x') }]), /not a Debian package/],
  ['an ar without members', arOf([]), /not a Debian package/],
  [
    'a deb of another version',
    arOf([{ ...debVersion, data: Buffer.from('3.0\n') }, debControl]),
    /unknown format version/,
  ],
  ['a deb without control', arOf([debVersion, { name: 'data.tar', data: good }]), /without control.tar/],
  ['a deb without data', arOf([debVersion, debControl]), /0 data.tar/],
  [
    'a deb with data twice',
    arOf([debVersion, debControl, { name: 'data.tar', data: good }, { name: 'data.tar.xz', data: good }]),
    /2 data.tar/,
  ],
  [
    'a member with a wrong magic',
    arOf([debVersion, debControl, { name: 'data.tar', data: good, magic: 'xx' }]),
    /ar member at byte \d+ has no proper header/,
  ],
  [
    'a member larger than the file',
    arOf([debVersion, debControl, { name: 'data.tar', data: good, size: '9999999' }]),
    /ar member "data.tar" is cut short/,
  ],
  [
    'a member of a wrong size',
    arOf([debVersion, debControl, { name: 'data.tar', data: good, size: '512' }]),
    /no proper header/,
  ],
  [
    'a member of no size',
    arOf([debVersion, debControl, { name: 'data.tar', data: good, size: '12ab' }]),
    /no proper size/,
  ],
  ['a deb cut short', without(debOf(good), 100), /is cut short/],
  ['a deb with something behind it', plus(debOf(good), Buffer.from('junk')), /no proper header/],
  ['a deb in a deb', debOf(debOf(good)), /a deb where a tar belongs/],
  ['a zip cut short', without(zipOf([file]), 30), /zip data is damaged/],
  ['a zip entry larger than it says', zipOf([{ ...file, isDeflated: true, size: 3 }]), /zip data is damaged/],
  [
    'a zip entry smaller than it says',
    zipOf([{ ...file, isDeflated: true, size: 100 }]),
    /zip data is damaged/,
  ],
  ['a stored zip entry that lies', zipOf([{ ...file, size: 100 }]), /zip data is damaged/],
  [
    'a zip entry with a wrong checksum',
    zipOf([{ ...file, checksum: 1 }]),
    /"dir\/file" has a wrong checksum/,
  ],
  ['an encrypted zip entry', zipOf([{ ...file, isDeflated: true, flags: 0x801 }]), /is encrypted/],
  ['a zip name that is not UTF-8', zipOf([{ name: bytes(0x61, 0xff) }]), /not UTF-8/],
];

// A short frame for each header, and one of RLE blocks for the zeros behind it.
function* hundredFiles(): Generator<Buffer> {
  const sizeBytes = 20 * 2 ** 20;
  const zeros = zstdZeros(sizeBytes);
  for (let n = 0; n < 100; n++) {
    yield zstdOf(tarOf([{ name: `zeros-${n}`, size: sizeBytes }], Buffer.alloc(0)));
    yield zeros;
  }
}

function refused(cases: readonly Case[], code: ErrorCode): void {
  for (const [what, archive, says, options] of cases) {
    test(what, async () => {
      const error = await rig.refusal(typeof archive === 'function' ? await archive() : archive, options);
      expect(error.message).toMatch(says);
      expect(error.message).toMatch(/^thing: /);
      expect(error).toMatchObject({ code, fault: 'input' });
      expect(error.hint).toMatch(/^Nothing was unpacked\./);
    });
  }
}

describe('refused as hostile:', () => refused(hostile, 'ARCHIVE_HOSTILE'));
describe('refused as too large:', () => refused(tooLarge, 'ARCHIVE_TOO_LARGE'));
describe('refused as malformed:', () => refused(malformed, 'ARCHIVE_MALFORMED'));

test('an error shows nothing that a terminal would obey', async () => {
  const { message } = await rig.refusal(tarOf([{ name: '../\x1b[2J\x9b', data: 'x' }]));
  expect(message).toContain(String.raw`"../\u001b[2J`);
  expect(message).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
});
