// Compressed data that is odd: read as xz(1), bzip2(1) and zstd(1) read it, or refused for what is wrong with it. What those
// programs make of each was tried with the programs themselves.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { crc32, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bzip2Of, lzmaOf, xzOf } from './compress.ts';
import { tarOf } from './make-archives.ts';
import { useRig } from './rig.ts';

const rig = useRig();
const tar = tarOf([{ name: 'a', data: 'one' }]);
const content = { a: 'file one' };
const plus = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const by = (command: string, args: readonly string[], input = tar): Buffer =>
  execFileSync(command, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'ignore'] });
const reason = async (archive: Buffer): Promise<string> => (await rig.refusal(archive)).message;

describe('padding of xz is a multiple of four bytes,', () => {
  const halves = [tar.subarray(0, 700), tar.subarray(700)] as const;

  test.each([0, 4, 8, 16_380, 65_536, 100_000])('such as %d', async (zeros) => {
    expect(await rig.contentOf(plus(await xzOf(tar), Buffer.alloc(zeros)))).toEqual(content);
    const two = plus(await xzOf(halves[0]), Buffer.alloc(zeros), await xzOf(halves[1]));
    expect(await rig.contentOf(two)).toEqual(content);
  });

  test.each([1, 2, 3, 5, 65_537])('and %d is damage, behind a stream and between two', async (zeros) => {
    const expected = `${zeros} ${zeros === 1 ? 'zero follows' : 'zeros follow'} its xz data`;
    const two = plus(await xzOf(halves[0]), Buffer.alloc(zeros), await xzOf(halves[1]));
    for (const archive of [plus(await xzOf(tar), Buffer.alloc(zeros)), two, plus(two, Buffer.alloc(4))]) {
      expect(await reason(archive)).toContain(expected);
      expect(() => by('xz', ['-dc'], archive)).toThrow();
    }
  });

  test('also of an xz of several blocks', async () => {
    const blocks = by('xz', ['-c', '--block-size=512']);
    expect(await rig.contentOf(blocks)).toEqual(content);
    expect(await reason(plus(blocks, Buffer.alloc(3)))).toContain('3 zeros follow its xz data');
  });
});

test('what follows xz data is said to be that, however long it is', async () => {
  const xz = await xzOf(tar);
  for (const rest of [randomBytes(100_000), plus(Buffer.alloc(40_000), Buffer.from('x'))])
    expect(await reason(plus(xz, rest))).toContain('something follows its xz data');
});

describe('an .lzma', () => {
  test.each(['lc=0', 'lc=4', 'lc=3,lp=1', 'lc=0,lp=4', 'pb=0', 'pb=4', 'lc=1,lp=2,pb=1'])(
    'has any properties that liblzma takes, such as %s',
    async (options) => {
      expect(await rig.contentOf(by('xz', ['-c', '-F', 'lzma', `--lzma1=${options}`]))).toEqual(content);
    },
  );

  test.each(['4KiB', '5KiB', '96KiB', '1536KiB', '64MiB'])('has a dictionary of %s', async (dict) => {
    expect(await rig.contentOf(by('xz', ['-c', '-F', 'lzma', `--lzma1=dict=${dict}`]))).toEqual(content);
  });

  test('that needs too much memory is refused for that', async () => {
    const lzma = await lzmaOf(tar);
    lzma.writeUInt32LE(2 ** 30, 1);
    expect(await reason(lzma)).toContain('its lzma data needs more memory than cairn gives');
  });

  test('with properties that liblzma does not take is refused for those', async () => {
    const lzma = await lzmaOf(tar);
    lzma[0] = 8;
    expect(await reason(lzma)).toContain('its lzma data has an option that cairn does not know');
  });

  test.each([1, 4, 100_000])('with %d bytes behind it is refused for them', async (length) => {
    const lzma = await lzmaOf(tar);
    for (const rest of [Buffer.alloc(length), randomBytes(length)])
      expect(await reason(plus(lzma, rest))).toContain('something follows its lzma data');
    expect(() => by('xz', ['-dc'], plus(lzma, Buffer.alloc(length)))).toThrow();
  });

  test('that ends with a piece that is read may not be followed by another', async () => {
    const data = randomBytes(17_000);
    const lzmas: Buffer[] = [];
    for (let length = 16_000; (lzmas.at(-1)?.length ?? 0) < 13 + 16_384; length++)
      lzmas.push(await lzmaOf(tarOf([{ name: 'a', data: data.subarray(0, length) }])));
    const last = lzmas.at(-1)!;
    expect(Object.keys(await rig.contentOf(last))).toEqual(['a']);
    // Whether it fits exactly is chance, but it mostly does.
    for (const rest of [1, 16_384, 50_000])
      expect(await reason(plus(last, randomBytes(rest)))).toContain('something follows its lzma data');
  });

  test('may state its size and have a marker as well', async () => {
    for (const plain of [tar, tarOf([{ name: 'a', data: randomBytes(3_000_000) }])]) {
      const lzma = await lzmaOf(plain);
      lzma.writeBigUInt64LE(BigInt(plain.length), 5);
      expect(Object.keys(await rig.contentOf(lzma))).toEqual(['a']);
      for (const wrong of [plain.length - 512, plain.length + 512]) {
        lzma.writeBigUInt64LE(BigInt(wrong), 5);
        expect(await reason(lzma)).toContain('its lzma data is damaged or cut short');
      }
    }
  });

  test('is no tar whose first entry looks like one', async () => {
    expect(await rig.contentOf(tarOf([{ name: ']', data: 'one' }]))).toEqual({ ']': 'file one' });
  });
});

test('an xz that needs too much memory is refused for that', async () => {
  const xz = await xzOf(tar);
  const header = xz.subarray(12, 12 + xz[12]! * 4);
  // The properties of LZMA2 behind its number and their length: a dictionary of 4 GiB.
  header[header.indexOf('2101', 0, 'hex') + 2] = 40;
  xz.writeUInt32LE(crc32(header), 12 + header.length);
  expect(await reason(xz)).toContain('its xz data needs more memory than cairn gives');
});

test.each(['B', 'BZ', 'BZh', 'BZh9', 'BZh9xxxxxxxxxx'])(
  'a bzip2 stream that only begins: %s',
  async (rest) => {
    const bzip2 = plus(bzip2Of(tar), Buffer.from(rest));
    expect(await reason(bzip2)).toContain('its bzip2 data is damaged or cut short');
    expect(() => by('bzip2', ['-dc'], bzip2)).toThrow();
  },
);

test.each(['x', '\0', 'BZx', 'BZh0'])('what is no bzip2 stream may follow one: %j', async (rest) => {
  const bzip2 = plus(bzip2Of(tar), Buffer.from(rest));
  expect(await rig.contentOf(bzip2)).toEqual(content);
  expect(by('bzip2', ['-dc'], bzip2)).toEqual(tar);
});

test('zstd data that needs a dictionary is refused for that', async () => {
  // A frame of one empty block with dictionary 5 (RFC 8878 §3.1.1.1).
  const frame = Buffer.from('28b52ffd' + '01' + '38' + '05' + '010000', 'hex');
  expect(await reason(frame)).toContain('its zstd data needs a dictionary that is no part of it');
});

test('what was compressed twice is said to be that', async () => {
  expect(await reason(gzipSync(await xzOf(tar)))).toContain(
    'its gzip data is another xz file, where a tar belongs',
  );
  expect(await reason(gzipSync('text'))).toContain('it is a single gzip file, not an archive');
});
