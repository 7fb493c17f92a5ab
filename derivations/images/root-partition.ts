// The ext4 partition, as a step of its own: a new kernel does not make it anew.

import type { Run } from '../../engine/model/index.ts';
import type { RootPartition } from './disk.ts';
import { runProgram, type ImageContext } from './program.ts';
import { rootPartitionProgram } from './programs/index.ts';
import { mke2fsConfig } from './programs/mke2fs-config.ts';

/** root.part, its block map, and facts.json: size, used bytes and what `blkid` would say. */
export function rootPartition(
  { role, label, slack, minimumBytes = 0, content, attributes }: RootPartition,
  { image, target, tools }: ImageContext,
): Run {
  return runProgram({
    name: `${image}-root-partition`,
    target,
    tools,
    program: rootPartitionProgram,
    given: { 'partition.json': { role, label, slack, minimumBytes }, 'mke2fs.conf': mke2fsConfig },
    inputs: { '/content': content, '/attributes': attributes },
  });
}
