// An image's compressed file, as people download it. Each partition is compressed by itself, while the disk is still being
// joined, and again only when it has changed: files that zstd wrote may be put one after the other, and so may what they hold.

import { from, run, type InputLike, type Run } from '../../engine/model/index.ts';
import type { Role } from './disk.ts';
import { runProgram, type ImageContext } from './program.ts';
import { compressedProgram } from './programs/index.ts';

// From 3 to 6, what is written gets 6 % smaller and takes twice as long.
const level = '3';

// zstd's threads do not change what it writes.
const script = 'zstd -q "-$level" "-T$CAIRN_JOBS" "/made/$role.part" -o "$out/$role.part.zst"';

/** ROLE.part.zst of a partition. */
export function compressedPartition(role: Role, made: Run, { image, target, tools }: ImageContext): Run {
  return run({
    name: `${image}-${role}-compressed`,
    target,
    layers: tools,
    inputs: { [`/made/${role}.part`]: from(made, { subpath: `${role}.part` }) },
    env: { role, level },
    argv: ['/bin/sh', '-euc', script],
  });
}

/** NAME.img.zst, of compressed partitions and of what the layout has around them. */
export function compressedImage(
  { layout, partitions }: { readonly layout: InputLike; readonly partitions: readonly InputLike[] },
  { image, target, tools }: ImageContext,
): Run {
  return runProgram({
    name: `${image}-compressed`,
    target,
    tools,
    program: compressedProgram,
    given: { 'zstd.json': { level } },
    inputs: {
      '/layout': layout,
      ...Object.fromEntries(partitions.map((partition, at) => [`/partitions/${at}`, partition])),
    },
  });
}
