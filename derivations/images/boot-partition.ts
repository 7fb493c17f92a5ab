// The fat32 partition, as a step of its own: it is made anew when something on it changes, and not with the root.

import type { Run } from '../../engine/model/index.ts';
import type { BootPartition } from './disk.ts';
import { runProgram, type ImageContext } from './program.ts';
import { bootPartitionProgram } from './programs/index.ts';

/** boot.part, its block map, and facts.json: size, used bytes and what `blkid` would say. */
export function bootPartition(
  { role, label, slack, minimumBytes = 0, content }: BootPartition,
  { image, target, tools }: ImageContext,
): Run {
  return runProgram({
    name: `${image}-boot-partition`,
    target,
    tools,
    program: bootPartitionProgram,
    given: { 'partition.json': { role, label, slack, minimumBytes } },
    inputs: { '/content': content },
  });
}
