// What this repository builds: the package set in derivations/, for both targets.

import { packageOutputs, inputs, sandboxTool } from './derivations/index.ts';
import { defineFlake } from './engine/model/index.ts';

export default defineFlake({
  description: 'cairn: a custom Linux system, from pinned sources to images',
  inputs,
  targets: ['aarch64-linux', 'x86_64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => packageOutputs({ pins, target }),
});
