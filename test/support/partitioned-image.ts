// A small image with a partition table and a file system, made by this machine's mke2fs, as a flake gives it.

import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

const mib = 2 ** 20;
const blockBytes = 4096;

/** A disk of 12 MiB with one partition of 8 MiB, of type 83 and from 4 MiB on, that nothing is in: what its first sector says. */
export function partitionTable(): Buffer {
  const sector = Buffer.alloc(512);
  sector.writeUInt32LE(0x1badcafe, 440);
  const entry = sector.subarray(446);
  entry.set([0, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff]);
  entry.writeUInt32LE((4 * mib) / 512, 8);
  entry.writeUInt32LE((8 * mib) / 512, 12);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** The config of a flake with a disk of 12 MiB as `disk`: one partition, of ext2 with the label `made`, from 4 MiB on. */
export function partitionedFlake(): string {
  const path = join(tempFolder('image'), 'disk');
  const part = `${path}.part`;
  for (const [file, size] of [
    [path, 12 * mib],
    [part, 8 * mib],
  ] as const) {
    writeFileSync(file, '');
    truncateSync(file, size);
  }
  writeFileSync(path, partitionTable(), { flag: 'r+' });
  execFileSync('mke2fs', ['-q', '-t', 'ext2', '-b', '4096', '-L', 'made', part], { stdio: 'pipe' });
  const blocks = [...usedBlocks(readFileSync(path), 0), ...usedBlocks(readFileSync(part), 4 * mib)];
  return `
const bytes = new Uint8Array(${12 * mib});
for (const [at, hex] of ${JSON.stringify(blocks)})
  for (let byte = 0; byte < hex.length / 2; byte++) bytes[at + byte] = parseInt(hex.slice(2 * byte, 2 * byte + 2), 16);
const manifest = ${JSON.stringify(JSON.stringify({ image: 'disk', target: 'x', partitions: [], components: [] }))};
export default flake({ disk: write({ name: 'disk', files: { 'disk.img': { bytes }, 'manifest.json': manifest } }) });
`;
}

function usedBlocks(bytes: Buffer, offset: number): [at: number, hex: string][] {
  const found: [number, string][] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    if (block.some((byte) => byte !== 0)) found.push([offset + at, block.toString('hex')]);
  }
  return found;
}
