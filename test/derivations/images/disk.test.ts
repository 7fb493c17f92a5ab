// What an image's description may say, found wrong while it is evaluated: before anything is built.

import { describe, expect, it } from 'vitest';
import {
  createImage,
  imageTools,
  type BootPartition,
  type ImageSpec,
  type RootPartition,
} from '../../../derivations/index.ts';
import { partitionType } from '../../../derivations/images/disk.ts';
import { write, type Run } from '../../../engine/model/index.ts';
import { pins } from '../../support/package-set.ts';

const target = 'aarch64-linux';
const tools = imageTools(pins);
const content = write({ name: 'content', files: { file: '' } });

const boot: BootPartition = {
  role: 'boot',
  fileSystem: 'fat32',
  label: 'BOOT',
  slack: { percent: 10 },
  content,
};
const root: RootPartition = {
  role: 'root',
  fileSystem: 'ext4',
  label: 'root',
  slack: { bytes: 1e6 },
  content,
  attributes: content,
  growsAtFirstBoot: true,
};
const component = { name: 'one', version: '1', licence: 'MIT', sources: [], tree: content };

const usual: ImageSpec = {
  name: 'small',
  description: 'a small image',
  target,
  disk: { table: 'mbr', partitions: [boot, root] },
  kernel: 'none',
  components: [component],
  machine: { machine: 'virt', cpu: 'cortex-a72', memoryMb: 256, firmware: 'edk2-aarch64' },
};
const image = (changes: Partial<ImageSpec>) => createImage({ ...usual, ...changes }, tools);
const disk = (...partitions: ImageSpec['disk']['partitions']): Partial<ImageSpec> => ({
  disk: { table: 'mbr', partitions },
});

describe('an image that cannot be', () => {
  it.each<[string, Partial<ImageSpec>, string]>([
    ['no partition', disk(), 'its disk has no partition'],
    ['two roots', disk({ ...root, growsAtFirstBoot: false }, root), 'two partitions have the role "root"'],
    [
      'the boot partition after the root',
      disk({ ...root, growsAtFirstBoot: false }, boot),
      'the boot partition is not the first',
    ],
    [
      'a label of 12 letters on fat32',
      disk({ ...boot, label: 'RASPBERRY-PI' }, root),
      'the label "RASPBERRY-PI" is too long for fat32',
    ],
    [
      'a label of 17 letters on ext4',
      disk(boot, { ...root, label: 'r'.repeat(17) }),
      `the label "${'r'.repeat(17)}" is too long for ext4`,
    ],
    [
      'small letters in a label of fat32',
      disk({ ...boot, label: 'boot' }, root),
      '"boot" cannot be a label of fat32',
    ],
    ['no label', disk({ ...boot, label: '' }, root), '"" cannot be a label of fat32'],
    [
      'less than no slack',
      disk({ ...boot, slack: { bytes: -1 } }, root),
      'slack and minimum size of the boot partition must be whole numbers, not negative',
    ],
    [
      'half a byte',
      disk(boot, { ...root, minimumBytes: 0.5 }),
      'slack and minimum size of the root partition must be whole numbers, not negative',
    ],
    [
      'no kernel, and no word of that',
      { kernel: undefined as unknown as 'none' },
      'it has no kernel, and would not start',
    ],
    [
      'a kernel that nothing could start',
      { ...disk(root), kernel: { ...component, name: 'linux' } },
      'its kernel has no boot partition to be in',
    ],
    ['no budget', { budgetBytes: 0 }, 'budgetBytes is 0, not a number of bytes'],
    ['components with one name', { components: [component, component] }, 'two components are called "one"'],
    [
      'a component with the name that other files go by',
      { components: [{ ...component, name: 'configuration' }] },
      'two components are called "configuration"',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => image(changes)).toThrow(
      expect.objectContaining({
        code: 'DERIVATION_INVALID',
        message: `image small: ${message}`,
        hint: expect.stringMatching(/\.$/) as string,
      }),
    );
  });
});

describe('an image', () => {
  it('has partitions that are steps of their own, and do not change with the other', () => {
    const steps = (changes: Partial<ImageSpec>) =>
      image(changes).partitions.parts.map(({ input }) => input.derivation as Run);
    const [bootStep, rootStep] = steps({});
    const changed = steps(disk({ ...boot, content: write({ name: 'other', files: {} }) }, root));
    expect(changed[0]).not.toEqual(bootStep);
    expect(changed[1]).toEqual(rootStep);
  });

  it('says what its partitions are for in the words of each table', () => {
    expect(partitionType('mbr', 'boot', target)).toBe('c');
    expect(partitionType('mbr', 'root', target)).toBe('83');
    expect(partitionType('gpt', 'root', 'x86_64-linux')).not.toBe(partitionType('gpt', 'root', target));
  });
});
