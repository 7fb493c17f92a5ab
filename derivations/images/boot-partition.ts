// The fat32 partition, as a step of its own: it is made anew when something on it changes, and not with the root.

import type { Run, Target } from '../../engine/model/index.ts';
import type { BootPartition } from './disk.ts';
import { runProgram, type Tools } from './program.ts';
import { bootPartitionProgram } from './programs/boot-partition.ts';

/** boot.part, its block map, and facts.json: size, used bytes and what `blkid` would say. */
export function bootPartition(
  { role, label, slack, minimumBytes = 0, content }: BootPartition,
  { target, tools }: { readonly target: Target; readonly tools: Tools },
): Run {
  return runProgram({
    name: 'boot-partition',
    target,
    tools,
    program: bootPartitionProgram,
    given: { 'partition.json': { role, label, slack, minimumBytes } },
    inputs: { '/content': content },
  });
}
