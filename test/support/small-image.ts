// A small image as a flake gives it: a disk of one MiB of which some blocks are used, its block map, what it says of itself.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

const blockBytes = 4096;
const sizeBytes = 1024 * 1024;

/** Blocks that hold something, first and last. */
const usedBlocks = [
  [0, 1],
  [40, 70],
  [255, 255],
] as const;

/** Where its boot and its root partition begin, in bytes; the first block is the partition table's. */
const parts = [
  { file: 'table.img', from: 0, to: 4 * blockBytes },
  { file: 'boot.img', from: 4 * blockBytes, to: 64 * blockBytes },
  { file: 'root.img', from: 64 * blockBytes, to: sizeBytes },
] as const;

export interface SmallImage {
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  /** For each byte of the disk, whether the map has it. */
  isMapped(offset: number): boolean;
  readonly map: string;
}

/** Bytes that say where they are; what is not used is zero. */
export function smallImage(): SmallImage {
  const isMapped = (offset: number): boolean =>
    usedBlocks.some(([first, last]) => offset >= first * blockBytes && offset < (last + 1) * blockBytes);
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) if (isMapped(at)) bytes[at] = ((at >> 12) + at) % 255;
  return { bytes, sizeBytes, isMapped, map: blockMap(bytes, usedBlocks) };
}

/** A device's file twice as large as the image, full of what was on it before. */
export function usedDevice(size = 2 * sizeBytes): string {
  const path = join(tempFolder('device'), 'device');
  writeFileSync(path, Buffer.alloc(size, 0xee));
  return path;
}

/** What that device has to hold after the image was written to it: nothing near an end of something is what it was. */
export function flashed(): Buffer {
  return Buffer.concat([smallImage().bytes, Buffer.alloc(sizeBytes)]);
}

/** A .bmap file, as bmap-tools writes them. */
export function blockMap(bytes: Buffer, used: readonly (readonly [number, number])[]): string {
  const ranges = used.map(([first, last]) => {
    const sum = createHash('sha256').update(bytes.subarray(first * blockBytes, (last + 1) * blockBytes));
    const blocks = first === last ? `${first}` : `${first}-${last}`;
    return `        <Range chksum="${sum.digest('hex')}"> ${blocks} </Range>`;
  });
  const count = used.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return sealed(`<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> ${bytes.length} </ImageSize>
    <BlockSize> ${blockBytes} </BlockSize>
    <BlocksCount> ${bytes.length / blockBytes} </BlocksCount>
    <MappedBlocksCount> ${count} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> ${'0'.repeat(64)} </BmapFileChecksum>
    <BlockMap>
${ranges.join('\n')}
    </BlockMap>
</bmap>
`);
}

/** A .bmap file with its own checksum where it has zeros. */
export function sealed(map: string, algorithm = 'sha256'): string {
  const sum = createHash(algorithm).update(map).digest('hex');
  return map.replace('0'.repeat(sum.length), sum);
}

/** Files of its root, as files.json lists them. */
export const smallFiles = [
  { path: 'usr/bin/dockerd', sizeBytes: 6000, component: 'docker', sha256: 'a1' },
  { path: 'usr/bin/docker', sizeBytes: 2000, component: 'docker', sha256: 'a2' },
  { path: 'usr/lib/libc.so.6', sizeBytes: 1500, component: 'glibc', sha256: 'b1' },
  { path: 'etc/passwd', sizeBytes: 500, component: 'base', sha256: 'c1' },
];

const manifest = {
  image: 'small',
  target: 'aarch64-linux',
  partitions: [
    { role: 'boot', offsetBytes: parts[1].from, sizeBytes: parts[1].to - parts[1].from, usedBytes: 90_000 },
    { role: 'root', offsetBytes: parts[2].from, sizeBytes: parts[2].to - parts[2].from, usedBytes: 30_000 },
  ],
  components: [
    { name: 'docker', version: '26.1', licence: 'Apache-2.0', sizeBytes: 8000, files: 2 },
    { name: 'glibc', version: '2.41', licence: 'LGPL-2.1-or-later', sizeBytes: 1500, files: 1 },
    { name: 'base', version: '1', licence: 'Apache-2.0', sizeBytes: 500, files: 1 },
  ],
};

const run = { machine: 'virt', cpu: 'cortex-a72', memoryMb: 512, firmware: 'edk2-aarch64' };

/**
 * The config of a flake with the image as `small`, its parts as `small-partitions`, a second one as `other` with another
 * docker and without /etc/passwd, one whose map is wrong as `damaged`, and `words`, which is no image. `files` is what its
 * files.json lists, `lastByte` what its disk ends with.
 */
export function smallImageFlake({
  files = smallFiles,
  lastByte,
}: { readonly files?: readonly object[]; readonly lastByte?: number } = {}): string {
  const { bytes, map } = smallImage();
  const texts = { 'manifest.json': json(manifest), 'files.json': json(files), 'run.json': json(run) };
  const others = {
    'files.json': json([
      { ...smallFiles[0], sizeBytes: 9000, sha256: 'a9' },
      ...smallFiles.slice(1, 3),
      { path: 'etc/motd', sizeBytes: 10, component: 'greeting', sha256: 'd1' },
    ]),
    'manifest.json': json({
      ...manifest,
      components: [
        { ...manifest.components[0], version: '27.0' },
        manifest.components[1],
        { name: 'greeting', version: '1' },
      ],
    }),
  };
  const layout = {
    image: 'small',
    sizeBytes,
    parts: parts.map(({ file, from: offsetBytes }) => ({ file, offsetBytes })),
  };
  const partFiles = parts.map(({ file, from, to }) => `'${file}': { bytes: bytes.subarray(${from}, ${to}) }`);
  const wrongMap = blockMap(Buffer.alloc(bytes.length, 1), usedBlocks);
  return `
const mapped = ${JSON.stringify(usedBlocks)};
const bytes = new Uint8Array(${sizeBytes});
for (let at = 0; at < bytes.length; at++)
  if (mapped.some(([first, last]) => at >= first * ${blockBytes} && at < (last + 1) * ${blockBytes})) bytes[at] = ((at >> 12) + at) % 255;
bytes[bytes.length - 1] = ${lastByte ?? 'bytes[bytes.length - 1]'};
const texts = ${json(texts)};
const small = write({ name: 'small', files: { ...texts, 'small.img': { bytes }, 'small.bmap': ${json(map)} } });
const other = write({ name: 'other', files: { ...texts, ...${json(others)}, 'other.img': { bytes } } });
const damaged = write({ name: 'damaged', files: { ...texts, 'damaged.img': { bytes }, 'damaged.bmap': ${json(wrongMap)} } });
const partitions = write({ name: 'partitions', files: { 'layout.json': ${json(json(layout))}, ${partFiles.join(', ')} } });
const words = write({ name: 'words', files: { 'share/words': 'one' } });
export default flake({ small, other, damaged, words, 'small-partitions': partitions });
`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
