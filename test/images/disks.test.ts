// The disks of all images, looked at by the usual checkers: partition table, fat32 and ext4 are in order.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';

it.each(['rpi', 'rpi-rt', 'rpi-containerd', 'pc', 'tiny', 'tiny@x86_64-linux'])(
  'sfdisk, fsck.fat and fsck.ext4 find nothing to mend in %s',
  async (image) => {
    const [name, target] = image.split('@');
    const step = `${name}-disk-check${target === undefined ? '' : `@${target}`}`;
    const report = readFileSync(join(await builtOutput(step, imageTestsConfig), 'report'), 'utf8');
    expect(report).toContain('No errors detected.');
    expect(report).toMatch(/boot: \d+ files, \d+\/\d+ clusters/);
    expect(report).toMatch(/root: \d+\/\d+ files \(.*non-contiguous\), \d+\/\d+ blocks/);
  },
);
