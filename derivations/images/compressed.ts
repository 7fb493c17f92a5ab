// An image's compressed file, as people download it: one frame that states the size of the whole disk. What writes cards
// takes the first frame's size for all (rpi-imager 2.0.9), or reads that frame alone (Python's zstandard), so partitions
// that were compressed by themselves are not put one after the other here, though that would spare those that did not change.

import type { InputLike, Run } from '../../engine/model/index.ts';
import { runProgram, type ImageContext } from './program.ts';
import { compressedProgram } from './programs/index.ts';

// From 3 to 6, what is written gets 6 % smaller and takes twice as long.
const level = '3';

/** NAME.img.zst of a disk's parts and its layout, made while the parts are joined to NAME.img. */
export function compressedImage(parts: InputLike, { image, target, tools }: ImageContext): Run {
  return runProgram({
    name: `${image}-compressed`,
    target,
    tools,
    program: compressedProgram,
    given: { 'zstd.json': { level } },
    inputs: { '/parts': parts },
  });
}
