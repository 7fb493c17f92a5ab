// What cannot be made into an image is one clear error of the step that sees it first, before the image is written.

import { expect, it } from 'vitest';
import type { Files, ImageProjects } from '../../support/image-project.ts';
import { stepErrors } from '../../support/step-errors.ts';

const attributes = (all: Readonly<Record<string, unknown>>): Files => ({
  attributes: { 'attributes.json': JSON.stringify(all) },
});

/** The tests; `open` gives the projects of the file that they are in. */
export function describeBadImages(open: () => ImageProjects): void {
  const projectWith = (files?: Files) => open().project(files);

  it('the boot partition: a symlink', async () => {
    const text = await projectWith({ boot: { latest: '-> kernel' } }).failure('mbr');
    expect(stepErrors(text)).toEqual([
      'error: latest of the boot partition is a symlink, which fat32 cannot hold; put the file itself there',
    ]);
    expect(text).toContain('failed mbr-boot-partition@aarch64-linux');
    expect(text).not.toContain('built mbr-disk');
  });

  it('the boot partition: a file of 4 GiB', async () => {
    expect(stepErrors(await projectWith().failure('too-large'))).toEqual([
      'error: big of the boot partition has 4,294,967,296 bytes; a file in fat32 has at most 4,294,967,295',
    ]);
  });

  it('the root: as many folders at the top as ext4 can number, with the one that mke2fs makes one too many', async () => {
    expect(stepErrors(await projectWith().failure('too-many-folders'))).toEqual([
      'error: the top of the root partition has 64,999 folders in it; a folder of ext4 has at most 64,998, so spread them over several',
    ]);
  });

  it.each<[string, Files, string]>([
    [
      'a path that is not there',
      attributes({ 'usr/bin/sudo': { mode: '04755' } }),
      'attributes.json names usr/bin/sudo, which is not in the root file system',
    ],
    [
      'a mode that is a number',
      attributes({ tmp: { mode: 1777 } }),
      'attributes.json gives tmp the mode 1777; write an octal text such as "04755"',
    ],
    [
      'an owner by name',
      attributes({ tmp: { uid: 'root' } }),
      'attributes.json gives tmp the uid "root", which is not an id',
    ],
    [
      'an attribute that does not exist',
      attributes({ tmp: { owner: 0 } }),
      'attributes.json gives tmp an unknown attribute "owner"',
    ],
  ])('attributes: %s', async (_, files, says) => {
    const text = await projectWith(files).failure('mbr');
    expect(stepErrors(text)).toEqual([`error: ${says}`]);
    expect(text).toContain('failed mbr-root-partition@aarch64-linux');
    expect(text).not.toContain('built mbr-disk');
  });

  it('an image over its budget: by how much, and what takes the room', async () => {
    const project = projectWith();
    project.edit('budgetBytes = 60e6', 'budgetBytes = 1e6');
    const text = await project.failure('mbr');
    expect(stepErrors(text)).toEqual([
      expect.stringMatching(
        /^error: mbr is [\d,]+ bytes over its budget: it takes [\d,]+ \(boot [\d,]+, root [\d,]+\) of 1,000,000$/,
      ),
    ]);
    expect(text).toMatch(/its largest components:\n.* 3,001,639 {2}configuration\n.* 600,000 {2}kernel\n/);
    expect(text).toMatch(/its largest folders:\n.* 3,000,000 {2}srv\/\n/);
    expect(text).not.toContain('built mbr-layout');
  });

  it('two packages that bring one path: both are named', async () => {
    const project = projectWith({ more: { etc: { hostname: 'other\n' } } });
    project.edit(
      "folder('root')",
      "from(compose({ name: 'both', parts: [folder('root'), folder('more')] }))",
    );
    const text = await project.failure('mbr');
    expect(text).toContain('both: root and more bring different content to etc/hostname');
  });
}
