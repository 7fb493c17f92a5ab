// What cairn says about images: image size, and diff.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { treemapSvg } from '../../cli/images/treemap.ts';
import { smallFiles, smallImageFlake } from '../support/small-image.ts';
import { testProject, type TestProject } from './cairn.ts';

async function builtImages(): Promise<TestProject> {
  const project = testProject(smallImageFlake());
  await project.run('build', 'small', 'other', 'words');
  return project;
}

describe('cairn image size', () => {
  it('says what takes the room, by component and by folder', async () => {
    const { status, stdout } = await (await builtImages()).run('image', 'size', 'small');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^4 files, 10\.0 kB$/m);
    expect(stdout).toMatch(/^boot {2}90\.0 kB used {2}of 246 kB$/m);
    expect(stdout).toMatch(/^8\.0 kB {2}80\.0 % {2}2 files {2}docker +26\.1$/m);
    expect(stdout).toMatch(/^1\.5 kB {2}15\.0 % {3}1 file {2}usr\/lib$/m);
  });

  it('says it to machines', async () => {
    const { records } = await (await builtImages()).run('image', 'size', 'small', '--json');
    expect(records()).toMatchObject([
      {
        type: 'image-size',
        components: [
          { name: 'docker', sizeBytes: 8000, files: 2, version: '26.1' },
          { name: 'glibc' },
          { name: 'base' },
        ],
        folders: [{ name: 'usr/bin', sizeBytes: 8000 }, { name: 'usr/lib' }, { name: 'etc' }],
      },
    ]);
  });

  it('draws it', async () => {
    const project = await builtImages();
    const { status } = await project.run('image', 'size', 'small', '--svg', 'small.svg');
    expect(status).toBe(0);
    const svg = readFileSync(join(project.folder, 'small.svg'), 'utf8');
    expect(svg).toContain('<title>docker: 8.0 kB, 80.0 %</title>');
    expect(svg).toContain('<title>usr/bin/dockerd: 6.0 kB, 60.0 %</title>');
  });

  it('draws larger what is larger, inside the picture, and the same each time', () => {
    const draw = (): string => treemapSvg({ title: 'small', files: smallFiles }, { width: 400, height: 300 });
    const svg = draw();
    const area = (name: string): number => {
      const found = new RegExp(
        `<title>${name}:[^<]*</title><rect x="(\\d+)" y="(\\d+)" width="(\\d+)" height="(\\d+)"`,
      ).exec(svg);
      const [x, y, width, height] = found!.slice(1).map(Number) as [number, number, number, number];
      expect(x + width).toBeLessThanOrEqual(400);
      expect(y + height).toBeLessThanOrEqual(300);
      return width * height;
    };
    expect(area('docker')).toBeGreaterThan(area('glibc'));
    expect(area('usr/bin/dockerd')).toBeGreaterThan(area('usr/bin/docker'));
    expect(draw()).toBe(svg);
  });

  it('says what is not an image, and what is not built', async () => {
    const project = await builtImages();
    const words = await project.run('image', 'size', 'words');
    expect(words.status).toBe(2);
    expect(words.stderr).toContain('words is not an image: it has no manifest.json');
    expect((await project.run('image', 'size', 'damaged')).stderr).toContain(
      'cairn build damaged@x86_64-linux',
    );
    expect((await project.run('image', 'size', 'small', '--svg', 'nowhere/small.svg')).status).toBe(2);
  });
});

describe('cairn diff of images', () => {
  it('says which components, files and sizes differ', async () => {
    const { status, stdout } = await (await builtImages()).run('diff', 'small', 'other');
    expect(status).toBe(0);
    expect(stdout).toBe(`components
- base      1             −500 B
~ docker    26.1 → 27.0  +3.0 kB
+ greeting  1              +10 B

files
+ etc/motd  10 bytes
- etc/passwd  500 bytes
~ usr/bin/dockerd  6000 → 9000 bytes

output
~ files.json  309 bytes → 310 bytes, from byte 39
~ manifest.json  474 bytes → 429 bytes, from byte 247
+ other.img  1048576 bytes
- small.bmap  700 bytes
- small.img  1048576 bytes

3 components and 3 files differ; 10.0 kB → 12.5 kB (+2.5 kB)
`);
  });

  it('says it to machines, and gives a status when asked', async () => {
    const project = await builtImages();
    const { status, records } = await project.run('diff', 'small', 'other', '--json', '--exit-code');
    expect(status).toBe(1);
    expect(records()).toMatchObject([
      { type: 'image-difference', before: { sizeBytes: 10_000 }, after: { files: 4 } },
    ]);
    const same = await project.run('diff', 'small', 'small', '--exit-code');
    expect(same.status).toBe(0);
    expect(same.stderr).toBe('identical\n');
  });

  it('names a target, a mode and an owner that differ alone', async () => {
    const link = { path: 'bin/sh', sizeBytes: 0, component: 'base', target: 'bash', mode: '0777' };
    const file = { path: 'etc/shadow', sizeBytes: 9, component: 'base', sha256: 'e1', mode: '0640', gid: 42 };
    const { stdout, status, records } = await builtTwice(
      { files: [link, file] },
      {
        files: [
          { ...link, target: 'dash' },
          { ...file, mode: '0644', gid: 0 },
        ],
      },
    );
    expect(status).toBe(1);
    expect(stdout).toContain(`components
~ base  1  ±0 B

files
~ bin/sh  0 bytes, link to bash → dash
~ etc/shadow  9 bytes, mode 0640 → 0644, gid 42 → 0
`);
    expect(await records()).toMatchObject([
      { files: [{ attributes: [{ name: 'target', before: 'bash', after: 'dash' }] }, { change: 'changed' }] },
    ]);
  });

  it('names the disk when that alone differs, and from which byte on', async () => {
    const { stdout, status } = await builtTwice({}, { lastByte: 255 });
    expect(status).toBe(1);
    expect(stdout).toBe(`output
~ small.img  1048576 bytes, from byte 1048575

0 components and 0 files differ; 10.0 kB → 10.0 kB (±0 B)
`);
  });

  it('compares an image with something else file by file', async () => {
    const { stdout } = await (await builtImages()).run('diff', 'small', 'words');
    expect(stdout).toContain('- small.img  1048576 bytes');
  });
});

/** What `diff` says of the small image before and after its config changed. */
async function builtTwice(
  before: Parameters<typeof smallImageFlake>[0],
  after: Parameters<typeof smallImageFlake>[0],
): Promise<{ status: number | null; stdout: string; records: () => Promise<readonly unknown[]> }> {
  const project = testProject(smallImageFlake(before));
  await project.run('build', 'small');
  const digest = (await project.run('path', '--digest', 'small')).stdout.trim();
  project.config(smallImageFlake(after));
  await project.run('build', 'small');
  const { status, stdout } = await project.run('diff', digest, 'small', '--exit-code');
  return {
    status,
    stdout,
    records: async () => (await project.run('diff', digest, 'small', '--json')).records(),
  };
}
