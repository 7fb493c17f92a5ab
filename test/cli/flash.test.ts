// cairn flash, onto files that stand for devices. Onto real loop devices: flash-device.root.test.ts.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blanksOf } from '../../cli/flash/blanks.ts';
import { parseBlockMap } from '../../cli/flash/block-map.ts';
import { verifyContent, writeContent } from '../../cli/flash/write-device.ts';
import { flashed, sealed, smallImage, smallImageFlake, usedDevice } from '../support/small-image.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { programPart, testProject } from './cairn.ts';

const image = smallImage();

describe('writing an image', () => {
  it('writes the blocks that the map has, and zeros where something of before would be found', async () => {
    const device = usedDevice();
    const { status, stderr } = await testProject(smallImageFlake()).run(
      'flash',
      'small',
      device,
      '--force',
      '--yes',
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/wrote 139 kB of 1\.0 MB, and it reads back the same/);
    expect(readFileSync(device).equals(flashed())).toBe(true);
  });

  it('--direct puts the same bytes there from the parts', async () => {
    const device = usedDevice();
    const project = testProject(smallImageFlake());
    const { status } = await project.run('flash', 'small', device, '--direct', '--force', '--yes');
    expect(status).toBe(0);
    const written = readFileSync(device);
    expect(written.subarray(0, image.sizeBytes).equals(image.bytes)).toBe(true);
    expect(written.equals(flashed())).toBe(true);
    expect((await project.run('path', 'small')).stderr).toContain('is not built');
  });

  it('tells machines what it did', async () => {
    const device = usedDevice();
    const { records } = await testProject(smallImageFlake()).run(
      'flash',
      'small',
      device,
      '--force',
      '--yes',
      '--json',
    );
    expect(records().at(-1)).toMatchObject({ type: 'flashed', device, writtenBytes: 139_264 });
  });

  it('does not call it written when the device gives back something else', async () => {
    const device = usedDevice();
    // It loses a byte before cairn opens it to read it back.
    const forgetful = programPart(`
      const fs = require('node:fs');
      const { open } = fs.promises;
      fs.promises.open = async (path, ...args) => {
        if (String(path).startsWith('/proc/self/fd/')) {
          const file = fs.openSync(${JSON.stringify(device)}, 'r+');
          fs.writeSync(file, Buffer.from([1]), 0, 1, 50 * 4096);
          fs.closeSync(file);
        }
        return open(path, ...args);
      };
      require('node:module').syncBuiltinESMExports();`);
    const project = testProject(smallImageFlake(), forgetful);
    const { status, stdout, stderr } = await project.run('flash', 'small', device, '--force', '--yes');
    expect(status).toBe(1);
    expect(stderr).toContain(`${device} does not give back what was written`);
    expect(stdout + stderr).not.toContain('reads back the same');
  });

  it('says where the device gives back something else', async () => {
    const path = usedDevice();
    const source = join(tempFolder('image'), 'small.img');
    writeFileSync(source, image.bytes);
    const ranges = parseBlockMap(image.map, { what: 'small.bmap', sizeBytes: image.sizeBytes });
    const pieces = ranges.map((range) => ({ ...range, path: source, offsetBytes: range.startByte }));
    const progress = { signal: new AbortController().signal, update: () => undefined };
    await using device = await open(path, 'r+');
    const written = await writeContent(device, { sizeBytes: image.sizeBytes, pieces }, progress);
    await verifyContent({ handle: device, path }, written, progress);
    await device.write(Buffer.from([1]), 0, 1, 50 * 4096);
    await device.sync();
    await expect(verifyContent({ handle: device, path }, written, progress)).rejects.toThrow(
      /does not give back what was written, between byte 163840 and 290816/,
    );
  });
});

describe('what is refused before anything is written', () => {
  it.each([
    {
      what: 'what is not a device',
      args: ['small', '/dev/null', '--yes'],
      says: '/dev/null is not a device',
    },
    {
      what: 'a device that is not there',
      args: ['small', '/dev/nothing', '--yes'],
      says: 'there is no device',
    },
    {
      what: 'what is not built',
      args: ['nothing', 'DEVICE', '--force', '--yes'],
      says: 'no output "nothing"',
    },
    {
      what: 'what is not an image',
      args: ['words', 'DEVICE', '--force', '--yes'],
      says: 'words@x86_64-linux is not an image',
    },
    {
      what: 'a file, without --force',
      args: ['small', 'DEVICE', '--yes'],
      says: 'is a file and not a device',
    },
    {
      what: 'to go on when nobody can be asked',
      args: ['small', 'DEVICE', '--force'],
      says: 'there is nobody to ask',
    },
    {
      what: '--direct without the parts',
      args: ['other', 'DEVICE', '--direct', '--force', '--yes'],
      says: 'no output "other-partitions"',
    },
  ])('refuses $what', async ({ args, says }) => {
    const device = usedDevice();
    const words = args.map((word) => (word === 'DEVICE' ? device : word));
    const { status, stderr } = await testProject(smallImageFlake()).run('flash', ...words);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain(says);
    expect(stderr).toContain('next: ');
    expect(readFileSync(device).every((byte) => byte === 0xee)).toBe(true);
  });

  it('refuses a device that is too small', async () => {
    const device = usedDevice(image.sizeBytes - 4096);
    const { status, stderr } = await testProject(smallImageFlake()).run(
      'flash',
      'small',
      device,
      '--force',
      '--yes',
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /error\[DEVICE_UNSUITABLE\].* is too small: it has 1,044,480 bytes, and small@x86_64-linux takes 1,048,576 bytes/,
    );
    expect(readFileSync(device).every((byte) => byte === 0xee)).toBe(true);
  });

  it('says that an image is not what its map says', async () => {
    const project = testProject(smallImageFlake());
    const { status, stderr } = await project.run('flash', 'damaged', usedDevice(), '--force', '--yes');
    expect(status).toBe(20);
    expect(stderr).toContain('damaged.img is not what its block map says');
  });

  it.each([
    ['another file', 'small.bmap is the map of another file', image.map],
    ['something else', 'small.bmap is not a block map', '<html></html>'],
    ['ranges that overlap', 'out of order', resealed((map) => map.replace('255', '60'))],
    ['ranges behind the end', 'out of its file', resealed((map) => map.replace('255', '256'))],
    ['nothing', 'maps nothing', resealed((map) => map.replace(/<Range.*<\/Range>/g, ''))],
    ['a range less', 'is damaged', image.map.replace(/<Range.*40-70.*\n/, '')],
    [
      'a range less, sealed',
      'maps 3 blocks and says 34',
      resealed((map) => map.replace(/<Range.*40-70.*\n/, '')),
    ],
    ['a count that is another', 'says 35', resealed((map) => map.replace('> 34 <', '> 35 <'))],
    ['no count', 'MappedBlocksCount is not a number', resealed((map) => map.replace(/<Mapped.*\n/, ''))],
    ['no checksum of its own', 'is damaged', image.map.replace(/<BmapFile.*\n/, '')],
    ['a range without checksum', 'cannot be read', resealed((map) => map.replace(/ chksum="\w+"/, ''))],
    ['a range in words', 'cannot be read', resealed((map) => map.replace('40-70', 'forty'))],
    ['checksums of another kind', 'not known', resealed((map) => map.replace(' sha256 ', ' crc8 '))],
    ['a version to come', 'not known', resealed((map) => map.replace('"2.0"', '"3.0"'))],
    ['half a file', 'is not a block map', image.map.slice(0, image.map.length / 2)],
  ])('a block map of %s is an error', (what, says, map) => {
    const sizeBytes = what === 'another file' ? 4096 : image.sizeBytes;
    expect(() => parseBlockMap(map, { what: 'small.bmap', sizeBytes })).toThrow(says);
  });
});

describe('block maps of all versions', () => {
  const ranges = parseBlockMap(image.map, { what: 'small.bmap', sizeBytes: image.sizeBytes });

  it('reads comments and capitals as what they are', () => {
    const map = resealed((text) =>
      text
        .replace(/chksum="(\w+)"/g, (_, sum: string) => `chksum="${sum.toUpperCase()}"`)
        .replace('<BlockMap>', '<!-- <Range> 9 </Range> --><BlockMap>'),
    );
    expect(parseBlockMap(map, { what: 'small.bmap', sizeBytes: image.sizeBytes })).toEqual(ranges);
  });

  it('reads version 1.3, whose checksums are SHA-1', () => {
    const map = versionOneThree();
    const read = parseBlockMap(map, { what: 'small.bmap', sizeBytes: image.sizeBytes });
    expect(read.map(({ startByte, sizeBytes }) => [startByte, sizeBytes])).toEqual(
      ranges.map(({ startByte, sizeBytes }) => [startByte, sizeBytes]),
    );
    expect(read[0]?.checksum).toEqual({ algorithm: 'sha1', hex: sha1(image.bytes.subarray(0, 8192)) });
    expect(() =>
      parseBlockMap(map.replace('40-70', '40-69'), { what: 'small.bmap', sizeBytes: image.sizeBytes }),
    ).toThrow('is damaged');
  });
});

describe('what is on the way to a device', () => {
  it('is no disk until all of it is there', async () => {
    const path = usedDevice(8 * 2 ** 20);
    const source = join(tempFolder('image'), 'disk.img');
    writeFileSync(source, Buffer.alloc(8 * 2 ** 20, 0x11));
    const stop = new AbortController();
    const piece = { path: source, startByte: 0, offsetBytes: 0, sizeBytes: 8 * 2 ** 20, checksum: undefined };
    const second = { ...piece, path: join(source, 'nothing') };
    await using device = await open(path, 'r+');
    const progress = { signal: stop.signal, update: () => undefined };
    await expect(
      writeContent(device, { sizeBytes: piece.sizeBytes, pieces: [piece, second] }, progress),
    ).rejects.toThrow();
    const written = readFileSync(path);
    const [head, tail] = [2 ** 20, 7 * 2 ** 20];
    expect(written.subarray(0, head).every((byte) => byte === 0)).toBe(true);
    expect(written.subarray(head, tail).every((byte) => byte === 0x11)).toBe(true);
    expect(written.subarray(tail).every((byte) => byte === 0)).toBe(true);
    await writeContent(device, { sizeBytes: piece.sizeBytes, pieces: [piece] }, progress);
    expect(readFileSync(path).equals(readFileSync(source))).toBe(true);
  });

  it('is zeros around what is written, and nowhere else', () => {
    const mib = 2 ** 20;
    const piece = { path: 'x', startByte: 0, checksum: undefined };
    const pieces = [
      { ...piece, offsetBytes: 0, sizeBytes: 4096 },
      { ...piece, offsetBytes: 8 * mib, sizeBytes: 2 * mib },
    ];
    const blanks = blanksOf(
      { sizeBytes: 16 * mib, pieces },
      { deviceBytes: 64 * mib, partitions: [{ startByte: 4 * mib, sizeBytes: 12 * mib }] },
    );
    expect(blanks.map(({ offsetBytes, sizeBytes }) => [offsetBytes, offsetBytes + sizeBytes])).toEqual([
      [4096, 4 * mib],
      [4 * mib, 5 * mib],
      [15 * mib, 16 * mib],
      [16 * mib, 17 * mib],
      [60 * mib, 64 * mib],
    ]);
  });
});

/** The image's map, changed, with the checksum that it has then. */
function resealed(change: (map: string) => string): string {
  return sealed(change(image.map.replace(/(<BmapFileChecksum> )\w+/, `$1${'0'.repeat(64)}`)));
}

// As bmaptool's older versions wrote it.
function versionOneThree(): string {
  const ofRange = (first: number, last: number): string =>
    sha1(image.bytes.subarray(first * 4096, (last + 1) * 4096));
  const map = image.map
    .replace('version="2.0"', 'version="1.3"')
    .replace(/<ChecksumType>.*\n/, '')
    .replace(/<BmapFileChecksum>.*/, `<BmapFileSHA1> ${'0'.repeat(40)} </BmapFileSHA1>`)
    .replace(/chksum="\w+"> (\d+)(?:-(\d+))?/g, (whole, first: string, last: string = first) =>
      whole.replace(/chksum="\w+"/, `sha1="${ofRange(Number(first), Number(last))}"`),
    );
  return sealed(map, 'sha1');
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex');
}
