// What has to be zero on a device besides what is written to it, so that nothing of what it held before is found there: kernel,
// blkid and mdadm look for signatures at the beginning and at the end of a disk and of each partition. Pure.

import type { DiskContent, Piece } from './disk-content.ts';
import type { Extent } from './partition-table.ts';

/** RAID, LVM, LUKS, ZFS, swap and file systems keep what they are known by within this from a beginning or an end. */
const marginBytes = 2 ** 20;
/** A partition that grows ends somewhere here, at a multiple of what cards like to erase. */
const lastBytes = 4 * 2 ** 20;

/** Zeros as pieces: near the ends of all that has ends, where the content has nothing. */
export function blanksOf(
  { sizeBytes, pieces }: DiskContent,
  { deviceBytes, partitions }: { readonly deviceBytes: number; readonly partitions: readonly Extent[] },
): readonly Piece[] {
  const firstStart = Math.min(sizeBytes, ...partitions.map(({ startByte }) => startByte));
  const edges: (readonly [from: number, to: number])[] = [
    [0, partitions.length === 0 ? marginBytes : firstStart],
    ...partitions.flatMap(({ startByte, sizeBytes: size }) => around(startByte, startByte + size)),
    [sizeBytes - marginBytes, sizeBytes + marginBytes],
    [deviceBytes - lastBytes, deviceBytes],
  ];
  const taken = pieces.map((piece) => [piece.offsetBytes, piece.offsetBytes + piece.sizeBytes] as const);
  const blanks: Piece[] = [];
  let done = 0;
  for (const [from, to] of edges.sort(byStart)) {
    let at = Math.max(from, done);
    const end = Math.min(to, deviceBytes);
    for (const [start, stop] of [...taken, [deviceBytes, deviceBytes] as const].sort(byStart)) {
      if (stop <= at && start < deviceBytes) continue;
      if (Math.min(start, end) > at) blanks.push(zeros(at, Math.min(start, end)));
      at = Math.max(at, stop);
      if (at >= end) break;
    }
    done = Math.max(done, end);
  }
  return blanks;
}

function around(start: number, end: number): (readonly [number, number])[] {
  return [
    [start, Math.min(start + marginBytes, end)],
    [Math.max(end - marginBytes, start), end],
  ];
}

/** Zeros from byte to byte of the device. */
export function zeros(from: number, to: number): Piece {
  return { path: '/dev/zero', startByte: 0, offsetBytes: from, sizeBytes: to - from, checksum: undefined };
}

function byStart(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0];
}
