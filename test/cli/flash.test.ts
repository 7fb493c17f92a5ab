// cairn flash, onto files that stand for devices. Onto real loop devices: flash-device.root.test.ts.

import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBlockMap } from '../../cli/flash/block-map.ts';
import { verifyContent, writeContent } from '../../cli/flash/write-device.ts';
import { flashed, smallImage, smallImageFlake, usedDevice } from '../support/small-image.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { programPart, testProject } from './cairn.ts';

const image = smallImage();

describe('writing an image', () => {
  it('writes the blocks that the map has, and leaves the others alone', async () => {
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
    expect(written.subarray(image.sizeBytes).every((byte) => byte === 0xee)).toBe(true);
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
      let opened = 0;
      fs.promises.open = async (path, ...args) => {
        if (path === ${JSON.stringify(device)} && ++opened === 2) {
          const file = fs.openSync(path, 'r+');
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
    await verifyContent(path, written, progress);
    await device.write(Buffer.from([1]), 0, 1, 50 * 4096);
    await device.sync();
    await expect(verifyContent(path, written, progress)).rejects.toThrow(
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
      says: 'words@aarch64-linux is not an image',
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
      /error\[DEVICE_UNSUITABLE\].* is too small: it has 1\.0 MB, and small@aarch64-linux takes/,
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
    ['ranges that overlap', 'out of order', image.map.replace('255', '60')],
    ['nothing', 'maps nothing', image.map.replace(/<Range.*<\/Range>/g, '')],
  ])('a block map of %s is an error', (what, says, map) => {
    const sizeBytes = what === 'another file' ? 4096 : image.sizeBytes;
    expect(() => parseBlockMap(map, { what: 'small.bmap', sizeBytes })).toThrow(says);
  });
});
