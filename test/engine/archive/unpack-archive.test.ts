// What unpacking makes of honest archives: every format, GNU tar's own output, names, modes, links, and being stopped.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pack } from 'tar-stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { bzip2Of, lzmaOf, xzBlocksOf, xzOf } from './compress.ts';
import {
  arOf,
  debControl,
  debOf,
  debVersion,
  paxEntry,
  tarOf,
  zipOf,
  zstdOf,
  zstdZeros,
  type TarEntry,
} from './make-archives.ts';
import { bunzip2 } from '../../../engine/archive/bzip2.ts';
import { bzip2Marks, type Mark } from '../../../engine/archive/bzip2-marks.ts';
import { FileRange } from '../../../engine/archive/file-range.ts';
import { randomFrom } from '../../support/random.ts';
import { limitsWith } from '../../../engine/archive/limits.ts';
import type { TreeNode } from '../../../store/index.ts';
import { useRig } from './rig.ts';

const rig = useRig();

const entries: readonly TarEntry[] = [
  { name: './', type: '5', mode: 0o755 },
  { name: './bin/tool', data: '#!/bin/sh\n', mode: 0o755 },
  { name: './bin/alias', type: '2', link: '/usr/bin/tool' },
  { name: './empty/', type: '5' },
  { name: './readme', data: 'read me\n' },
];
const tar = tarOf(entries);
const content = {
  'bin/tool': 'program #!/bin/sh\n',
  'bin/alias': 'symlink /usr/bin/tool',
  empty: 'folder',
  readme: 'file read me\n',
};

describe('one tree comes out of', () => {
  const halves = [tar.subarray(0, 1000), tar.subarray(1000)] as const;
  test.each<[string, () => Buffer | Promise<Buffer>]>([
    ['a tar', () => tar],
    ['a gzip', () => gzipSync(tar)],
    ['a gzip with padding', () => Buffer.concat([gzipSync(tar), Buffer.alloc(100)])],
    ['a gzip of two members', () => Buffer.concat(halves.map((half) => gzipSync(half)))],
    ['a bzip2', () => bzip2Of(tar)],
    ['a bzip2 of two streams', () => Buffer.concat(halves.map((half) => bzip2Of(half)))],
    ['a bzip2 with something behind it', () => Buffer.concat([bzip2Of(tar), Buffer.from('junk')])],
    ['an xz', () => xzOf(tar)],
    ['an xz of two streams', async () => Buffer.concat(await Promise.all(halves.map(xzOf)))],
    ['an xz of several blocks', () => xzBlocksOf(Buffer.concat([tar, Buffer.alloc(20_480)]))],
    ['an lzma', () => lzmaOf(tar)],
    ['a zstd', () => zstdOf(tar)],
    ['a zstd of two frames', () => Buffer.concat(halves.map(zstdOf))],
    ['a zstd that is really compressed', () => Buffer.from(zstdByItsOwnTool, 'base64')],
    ['a deb', () => debOf(tar)],
    ['a deb with xz', async () => debOf(await xzOf(tar), 'data.tar.xz')],
    ['a deb with zstd', () => debOf(zstdOf(tar), 'data.tar.zst')],
    [
      'a deb with further members',
      () =>
        arOf([
          debVersion,
          debControl,
          { name: '_odd', data: Buffer.from('x') },
          { name: 'data.tar.gz/', data: gzipSync(tar) },
          { name: 'more', data: Buffer.alloc(3) },
        ]),
    ],
    ['a zip', () => zipOf(zipEntries(false))],
    ['a zip made on OS X', () => zipOf(zipEntries(true).map((entry) => ({ ...entry, host: 19 })))],
    [
      'a zip behind a program',
      () => Buffer.concat([Buffer.from('#!/bin/sh\nexit\n'), zipOf(zipEntries(true))]),
    ],
    ['a zip behind another one', () => Buffer.concat([zipOf([{ name: 'x' }]), zipOf(zipEntries(true))])],
    ['a zip with deflate', () => zipOf(zipEntries(true))],
  ])('%s', async (_, archive) => {
    expect(await rig.contentOf(await archive())).toEqual(content);
  });

  function zipEntries(isDeflated: boolean): Parameters<typeof zipOf>[0] {
    return [
      { name: 'bin/tool', data: '#!/bin/sh\n', mode: 0o100755, isDeflated },
      { name: 'bin/alias', data: '/usr/bin/tool', mode: 0o120777 },
      { name: 'empty/', mode: 0o040755 },
      { name: 'readme', data: 'read me\n', mode: 0o100644, isDeflated },
    ];
  }
});

describe('GNU tar', () => {
  const folder = (): string => {
    const top = tempFolder('tar');
    mkdirSync(join(top, 'a'.repeat(100), 'b'.repeat(100)), { recursive: true });
    writeFileSync(join(top, 'a'.repeat(100), 'b'.repeat(100), 'long'), 'long');
    mkdirSync(join(top, 'empty'));
    writeFileSync(join(top, 'größe ✓'), 'not ASCII');
    writeFileSync(join(top, 'none'), '');
    writeFileSync(join(top, 'block'), 'x'.repeat(512));
    writeFileSync(join(top, 'large'), Buffer.alloc(3_000_000, 'large'));
    writeFileSync(join(top, 'program'), 'x');
    chmodSync(join(top, 'program'), 0o4751);
    linkSync(join(top, 'program'), join(top, 'second-name'));
    symlinkSync(`${'far/'.repeat(50)}away`, join(top, 'symlink'));
    return top;
  };

  test.each(['gnu', 'oldgnu', 'pax'])('writes a folder as %s that comes back as it was', async (format) => {
    const source = folder();
    const archive = join(tempFolder('archive'), 'a.tar');
    execFileSync('tar', ['-C', source, `--format=${format}`, '-cf', archive, '.']);
    const imported = await rig.store.importFolder(source);
    expect(await rig.unpack(archive)).toEqual(imported.node);
  });

  test.each(['v7', 'ustar'])('writes a folder as %s, whose names are short', async (format) => {
    const source = tempFolder('tar');
    mkdirSync(join(source, 'folder'));
    writeFileSync(join(source, 'folder/file'), 'text');
    symlinkSync('file', join(source, 'folder/symlink'));
    const tarred = execFileSync('tar', ['-C', source, `--format=${format}`, '-cf', '-', '.']);
    const imported = await rig.store.importFolder(source);
    expect(await rig.unpack(tarred)).toEqual(imported.node);
  });

  test.each([
    ['gnu', []],
    ['oldgnu', []],
    ['gnu', ['--listed-incremental=state']],
    ['pax', ['--sparse-version=0.0']],
    ['pax', ['--sparse-version=0.1']],
    ['pax', ['--sparse-version=1.0']],
  ])('writes files with holes, a label and dumps as %s %s, and they come back', async (format, options) => {
    const source = tempFolder('tar');
    const file = openSync(join(source, 'holes'), 'w');
    for (let n = 1; n < 10; n++) writeSync(file, `piece ${n}`, n * n * 8192);
    ftruncateSync(file, 900_000);
    closeSync(file);
    writeFileSync(join(source, 'nothing'), '');
    truncateSync(join(source, 'nothing'), 100_000);
    writeFileSync(join(source, 'text'), 'text');
    const shape = ['--sparse', '--hole-detection=raw', '--label=name', `--format=${format}`, ...options];
    const tarred = execFileSync('tar', [...shape, '-C', source, '-cf', '-', '.'], {
      cwd: tempFolder('state'),
    });
    expect(tarred.length).toBeLessThan(100_000);
    const imported = await rig.store.importFolder(source);
    expect(await rig.unpack(tarred)).toEqual(imported.node);
  });

  test('and this agree on what --strip-components leaves', async () => {
    const archive = tarOf([
      { name: './dotted/alone', data: '1' },
      { name: 'first/', type: '5' },
      { name: 'first/a/file', data: '2' },
      { name: 'first/inner/deep', data: '3' },
      { name: 'second/b/./third', data: '5' },
      { name: 'second/b/other', data: '4' },
      { name: 'second/b/link', type: '1', link: 'second/b/other' },
      { name: 'second/b/symlink', type: '2', link: 'first/file' },
    ]);
    for (const strip of [0, 1, 2]) {
      const target = tempFolder('tar');
      execFileSync('tar', ['-C', target, `--strip-components=${strip}`, '-xf', rig.write(archive)]);
      // The archive's folders let nobody in but root.
      execFileSync('chmod', ['-R', 'u+rwX', target]);
      expect(await rig.unpack(archive, { strip })).toEqual((await rig.store.importFolder(target)).node);
    }
  });
});

test('pax names and sizes as tar-stream writes them', async () => {
  const archive = pack();
  archive.entry({ name: 'ü'.repeat(120), pax: { comment: 'odd' } }, 'text');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(await rig.contentOf(Buffer.concat(chunks))).toEqual({ ['ü'.repeat(120)]: 'file text' });
});

test('of modes only the executable bit is kept, whoever has it', async () => {
  const modes = [0o644, 0o100, 0o010, 0o001, 0o6755, 0o1666, 0];
  const archive = tarOf(modes.map((mode, at) => ({ name: String(at), mode })));
  expect(Object.values(await rig.contentOf(archive))).toEqual([
    'file ',
    'program ',
    'program ',
    'program ',
    'program ',
    'file ',
    'file ',
  ]);
});

test('a hard link is the same content again, a symlink included', async () => {
  const archive = tarOf([
    { name: 'a', data: 'text', mode: 0o755 },
    { name: 'b', type: '1', link: './a' },
    { name: 'c', type: '1', link: 'b' },
    { name: 's', type: '2', link: 'a' },
    { name: 't', type: '1', link: 's' },
  ]);
  expect(await rig.contentOf(archive)).toEqual({
    a: 'program text',
    b: 'program text',
    c: 'program text',
    s: 'symlink a',
    t: 'symlink a',
  });
});

test('of entries with one name the later wins; folders merge', async () => {
  const archive = tarOf([
    { name: 'dir/', type: '5' },
    { name: 'dir/a', data: 'first' },
    { name: 'dir/s', type: '2', link: 'first' },
    { name: 'hard', type: '1', link: 'dir/a' },
    { name: 'dir/', type: '5' },
    { name: 'dir/a', data: 'second', mode: 0o755 },
    { name: 'dir/s', type: '2', link: 'second' },
  ]);
  expect(await rig.contentOf(archive)).toEqual({
    'dir/a': 'program second',
    'dir/s': 'symlink second',
    hard: 'file first',
  });
});

test('names that differ only in case, or only in Unicode form, are different names', async () => {
  const names = ['Readme', 'README', 'readme', 'caf\u00e9', 'cafe\u0301'];
  const archive = tarOf(names.map((name) => ({ name, data: name })));
  expect(Object.keys(await rig.contentOf(archive)).sort()).toEqual([...names].sort());
});

test('slashes that follow each other are one, and "." is no part of a name', async () => {
  const archive = tarOf([
    { name: '/', type: '5' },
    { name: './/', type: '5' },
    { name: 'a//b', data: '1' },
    { name: 'a/./c/.//d', data: '2' },
    { name: './/e/.', type: '5' },
    { name: 'f', type: '1', link: './a/./b' },
  ]);
  expect(await rig.contentOf(archive)).toEqual({
    'a/b': 'file 1',
    'a/c/d': 'file 2',
    e: 'folder',
    f: 'file 1',
  });
});

test('odd names are names', async () => {
  const names = [
    '-rf',
    ' ',
    'a b',
    '...',
    '.hidden',
    '__proto__',
    'back\\slash',
    'new\nline',
    '\x7f',
    'a'.repeat(255),
  ];
  const archive = tarOf(names.flatMap((name) => [paxEntry({ path: name }), { name: 'x', data: name }]));
  expect(Object.keys(await rig.contentOf(archive)).sort()).toEqual([...names].sort());
});

test('an archive without entries is an empty tree, also when everything is stripped away', async () => {
  for (const archive of [
    tarOf([]),
    gzipSync(tarOf([])),
    zipOf([]),
    debOf(tarOf([{ name: './', type: '5' }])),
  ])
    expect(await rig.contentOf(archive)).toEqual({ '': 'folder' });
  expect(await rig.contentOf(tarOf([{ name: 'a/b/', type: '5' }]), { strip: 9 })).toEqual({ '': 'folder' });
});

describe('without strip', () => {
  const top = [
    { name: 'pkg/', type: '5' },
    { name: 'pkg/a/b', data: '1' },
    { name: 'pkg/c', type: '1', link: 'pkg/a/b' },
  ];
  const dotted = top.map((entry) => ({ ...entry, name: `./${entry.name}` }));
  const stripped = { 'a/b': 'file 1', c: 'file 1' };
  test.each<[string, () => Buffer | Promise<Buffer>, object]>([
    ['the top folder goes where it is the only thing', () => tarOf(top), stripped],
    [
      'however its name is written',
      () => tarOf([{ name: './', type: '5' }, ...dotted.slice(0, 2)]),
      { 'a/b': 'file 1' },
    ],
    ['in a compressed tar', () => gzipSync(tarOf(top)), stripped],
    ['in a deb', () => debOf(gzipSync(tarOf(top)), 'data.tar.gz'), stripped],
    ['in a zip', () => zipOf([{ name: 'pkg/x', data: '1', mode: 0o100644 }]), { x: 'file 1' }],
    [
      'a second folder keeps both',
      () => tarOf([...top, { name: 'other/', type: '5' }]),
      { 'pkg/a/b': 'file 1', 'pkg/c': 'file 1', other: 'folder' },
    ],
    [
      'a file beside it keeps both',
      () => tarOf([...top, { name: 'README', data: 'r' }]),
      { 'pkg/a/b': 'file 1', 'pkg/c': 'file 1', README: 'file r' },
    ],
    [
      'a symlink beside it keeps both',
      () => tarOf([...top.slice(0, 2), { name: 'l', type: '2', link: 'pkg' }]),
      { 'pkg/a/b': 'file 1', l: 'symlink pkg' },
    ],
    ['one program stays', () => zipOf([{ name: 'tool', data: 'x', mode: 0o100755 }]), { tool: 'program x' }],
    ['one symlink stays', () => tarOf([{ name: 'l', type: '2', link: 'x' }]), { l: 'symlink x' }],
    ['only one level goes', () => tarOf([{ name: 'a/b/c', data: '1' }]), { 'b/c': 'file 1' }],
  ])('%s', async (_, archive, expected) => {
    expect(await rig.contentOf(await archive(), { strip: undefined })).toEqual(expected);
  });
});

describe('nothing is lost to strip:', () => {
  test.each<[string, Buffer, number, RegExp]>([
    [
      'a file',
      tarOf([{ name: 'README', data: 'x' }]),
      1,
      /its file "README" would lose its whole name to strip: 1/,
    ],
    [
      'a file of a zip',
      zipOf([{ name: 'tool', data: 'x', mode: 0o100755 }]),
      1,
      /its file "tool" would lose/,
    ],
    ['a symlink', tarOf([{ name: 'a/l', type: '2', link: 'x' }]), 2, /its symlink "a\/l" would lose/],
    [
      'a hard link',
      tarOf([
        { name: 'a/f', data: '' },
        { name: 'l', type: '1', link: 'a/f' },
      ]),
      1,
      /its hard link "l" would lose/,
    ],
    [
      'one of two files that get one name',
      tarOf([
        { name: 'a/f', data: '1' },
        { name: 'b/f', data: '2' },
      ]),
      1,
      /its entry "b\/f" would replace one of the same name in "a"/,
    ],
  ])('%s', async (_, archive, strip, message) => {
    const refusal = await rig.refusal(archive, { strip });
    expect(refusal.code).toBe('DERIVATION_INVALID');
    expect(refusal.message).toMatch(message);
    expect(refusal.hint).toContain('strip: 0');
  });
});

describe('what no tree can hold is not dropped without a word', () => {
  const capable = tarOf([
    paxEntry({
      'SCHILY.xattr.security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex'),
    }),
    { name: 'bin/ping', data: 'x' },
    { name: 'bin/other', data: 'y' },
  ]);

  test('a file with capabilities', async () => {
    const refusal = await rig.refusal(capable);
    expect(refusal.code).toBe('DERIVATION_INVALID');
    expect(refusal.message).toContain('its entry "bin/ping" has file capabilities (security.capability)');
    expect(refusal.hint).toContain('exclude');
  });

  test('unless it is left out', async () => {
    expect(await rig.contentOf(capable, { exclude: ['bin/ping'] })).toEqual({ 'bin/other': 'file y' });
  });

  test('other attributes are of the machine it was packed on', async () => {
    const marked = tarOf([
      paxEntry({ 'SCHILY.xattr.user.comment': 'c', 'LIBARCHIVE.xattr.com.apple.quarantine': 'cQ==' }),
      { name: 'a', data: 'x' },
    ]);
    expect(await rig.contentOf(marked)).toEqual({ a: 'file x' });
  });
});

test('a symlink may point anywhere: nobody follows it', async () => {
  const archive = tarOf([
    { name: 'up', type: '2', link: '../../../etc/passwd' },
    { name: 'loop', type: '2', link: 'loop' },
  ]);
  expect(await rig.contentOf(archive)).toEqual({
    up: 'symlink ../../../etc/passwd',
    loop: 'symlink loop',
  });
});

test('large files and equal ones come out whole', async () => {
  const large = Buffer.alloc(5_000_001, 'large');
  const archive = tarOf([
    { name: 'a', data: large },
    { name: 'b', data: large },
    { name: 'c', data: large, mode: 0o755 },
    { name: 'd', data: 'small' },
    { name: 'e', data: 'small', mode: 0o755 },
    { name: 'f', data: 'small' },
  ]);
  const content = await rig.contentOf(gzipSync(archive));
  expect(Object.values(content).map((text) => [text.slice(0, 12), text.length])).toEqual([
    ['file largela', 5_000_006],
    ['file largela', 5_000_006],
    ['program larg', 5_000_009],
    ['file small', 10],
    ['program smal', 13],
    ['file small', 10],
  ]);
});

test('a bzip2 of many blocks in streams of several levels comes out in order', async () => {
  const random = randomFrom(1);
  const data = Buffer.from(Array.from({ length: 700_000 }, () => random(256)));
  const plain = tarOf([
    { name: 'random', data },
    { name: 'zeros', data: Buffer.alloc(3_000_000) },
    { name: 'text', data: 'text\n'.repeat(500_000) },
  ]);
  const streams = [0, 1, 2, 3, 4, 5].map((n) => {
    const part = plain.subarray((plain.length * n) / 6, (plain.length * (n + 1)) / 6);
    return bzip2Of(part, [1, 9, 5, 2, 1, 3][n]);
  });
  const empty = bzip2Of(Buffer.alloc(0));
  const archive = Buffer.concat([empty, ...streams, empty]);
  expect(await rig.unpack(archive)).toEqual(await rig.unpack(plain));
});

test('a bzip2 of many small streams, with a few among them that become large, comes out in order', async () => {
  const random = randomFrom(3);
  const small = Array.from({ length: 400 }, (_, n) => `${n}: ${'text'.repeat(random(2000))}\n`).join('');
  const plain = tarOf([
    { name: 'small', data: small },
    { name: 'zeros', data: Buffer.alloc(12_000_000) },
    { name: 'small again', data: small },
  ]);
  const zerosAt = plain.indexOf(Buffer.alloc(4096));
  const pieces = [
    ...inPieces(plain.subarray(0, zerosAt), 20_000),
    ...inPieces(plain.subarray(zerosAt, zerosAt + 12_000_000), 3_000_000),
    ...inPieces(plain.subarray(zerosAt + 12_000_000), 20_000),
  ];
  expect(pieces.length).toBeGreaterThan(100);
  const streams = pieces.map((piece) => bzip2Of(piece));
  expect(await rig.unpack(Buffer.concat(streams))).toEqual(await rig.unpack(plain));
  const damaged = Buffer.concat(streams.with(20, streams[20]!.fill(0, 10, 12)));
  expect((await rig.refusal(damaged)).message).toMatch(/bzip2 data is damaged/);
});

function inPieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
}

test('a mark that comes about by chance in a block of a bzip2 does not end it', async () => {
  const random = randomFrom(2);
  const plain = Buffer.from(Array.from({ length: 250_000 }, () => random(256)));
  const archive = bzip2Of(plain, 1);
  const file = openSync(rig.write(archive), 'r');
  const range = new FileRange(file, 0, archive.length);
  const marks = [...bzip2Marks(range)];
  expect(marks.map(({ kind }) => kind)).toEqual(['block', 'block', 'block', 'end']);
  const byChance = marks.slice(0, 3).map((mark, n): Mark => {
    return { ...mark, kind: n === 1 ? 'end' : 'block', bit: mark.bit + 1000 + n };
  });
  const all = [...marks, ...byChance].sort((one, other) => one.bit - other.bit);
  const chunks: Buffer[] = [];
  for await (const chunk of bunzip2(range, marksOf(all))) chunks.push(chunk);
  closeSync(file);
  expect(Buffer.concat(chunks).equals(plain)).toBe(true);
});

function* marksOf(marks: readonly Mark[]): Generator<Mark, void, undefined> {
  yield* marks;
}

test('many archives at once keep apart', async () => {
  const archives = Array.from({ length: 30 }, (_, n) =>
    gzipSync(tarOf([{ name: `file-${n}`, data: `${n}` }])),
  );
  const contents = await Promise.all(archives.map((archive) => rig.contentOf(archive)));
  expect(contents).toEqual(archives.map((_, n) => ({ [`file-${n}`]: `file ${n}` })));
});

test('an archive that is rightly large is unpacked when its derivation says so', async () => {
  const zeros = gzipSync(tarOf([{ name: 'zeros', data: Buffer.alloc(300_000_000) }]), { level: 1 });
  expect((await rig.refusal(zeros)).code).toBe('ARCHIVE_TOO_LARGE');
  const node = await rig.unpack(zeros, { limits: limitsWith({ unpackedBytes: 301_000_000 }) });
  expect(rig.store.trees.get((node as TreeNode).digest)!.get('zeros')).toMatchObject({ kind: 'blob' });
  const many = tarOf([1, 2, 3].map((n) => ({ name: `file-${n}` })));
  expect((await rig.refusal(many, { limits: limitsWith({ entries: 2 }) })).code).toBe('ARCHIVE_TOO_LARGE');
});

describe('what is excluded is not looked at:', () => {
  const sparse = [
    paxEntry({ 'GNU.sparse.size': '90', 'GNU.sparse.map': '0,1' }),
    { name: 'd/sparse', data: 'x' },
  ];
  const tarEntries = [
    { name: 'd/', type: '5' },
    { name: 'd/dev/null', type: '3' },
    { name: '/etc//passwd', data: 'x' },
    { name: 'd/../../up', data: 'x'.repeat(600) },
    ...sparse,
    { name: './d/docs/a', data: 'a' },
    { name: 'd/docs/b', data: 'b' },
    { name: 'd/kept', data: 'k' },
  ];
  const exclude = ['d/dev', 'etc/**', 'd/../../up', 'd/sparse', 'd/docs', 'missing'];
  test.each<[string, Buffer]>([
    ['in a tar', tarOf(tarEntries)],
    [
      'in a zip',
      zipOf([
        { name: '/etc/passwd', data: 'x' },
        { name: 'd/docs/a', checksum: 1, data: 'x' },
        { name: 'd/kept', data: 'k' },
      ]),
    ],
  ])('%s', async (_, archive) => {
    expect(await rig.contentOf(archive, { exclude })).toEqual({ 'd/kept': 'file k' });
    expect(await rig.contentOf(archive, { exclude, strip: 1 })).toEqual({ kept: 'file k' });
    expect(await rig.contentOf(archive, { exclude, strip: undefined })).toEqual({ kept: 'file k' });
  });
});

describe('a wish to stop', () => {
  test('ends the unpacking and leaves nothing', async () => {
    const minutesOfWork = Buffer.concat([
      zstdOf(
        tarOf(
          [
            { name: 'file', data: 'text' },
            { name: 'zeros', size: 2 ** 33 },
          ],
          Buffer.alloc(0),
        ),
      ),
      zstdZeros(2 ** 33),
    ]);
    const controller = new AbortController();
    const unpacking = rig.unpack(minutesOfWork, {
      signal: controller.signal,
      limits: { unpackedBytes: Infinity, ratio: Infinity },
    });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(unpacking).rejects.toThrow('enough');
  });

  test('that came before it began keeps it from beginning', async () => {
    await expect(rig.unpack(tar, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });
});

test('an archive that is not there is a system error, not an archive’s fault', async () => {
  await expect(rig.unpack(join(rig.folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
});

// Made with: tar … | zstd -19 --check
const zstdByItsOwnTool =
  'KLUv/QRoxQQA8gUTEZB9jBZE14u7exuUzjDMm4UUsYazTqzQxbwS+v/SN64xa15QeHUQOkox7SZ1D6QWw4RnajV06L272PkKeWM+' +
  'u635r/DIHGZ+rWa+kBog4E4kZx3/qQrQB0A6AVjBmFTMY/qmsGwAVV9n9QDpVU2BUaylAwoNxdQBGIJ8KEKAgMGqph3GA6ZoTuqA' +
  'J+WjBA84KID5hN2LjKws';
