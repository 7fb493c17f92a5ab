// The code of a kernel, compiled with a compile cache and without one. A stamp that no code reads makes it another build each
// time, of which nothing is known but what compilers gave.

import { inputs, sandboxTool } from '../../../derivations/index.ts';
import { seedTree } from '../../../derivations/bootstrap/seed.ts';
import { builtInCommandLine } from '../../../derivations/kernel/command-line.ts';
import { compileCode } from '../../../derivations/kernel/compile-code.ts';
import { configure } from '../../../derivations/kernel/configure.ts';
import { mergeFragments } from '../../../derivations/kernel/fragment.ts';
import { kernelCompileCache } from '../../../derivations/kernel/kernel.ts';
import { kernelSource } from '../../../derivations/kernel/source.ts';
import { compose, defineFlake, write } from '../../../engine/model/index.ts';
import { smallestFragment } from '../../images/smallest-image.ts';

const target = 'aarch64-linux';

export default defineFlake({
  description: 'what a compile cache saves of a kernel',
  inputs,
  targets: [target],
  environment: ['CAIRN_BENCH_STAMP'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, env }) => {
    const seed = seedTree(pins);
    const { tree } = kernelSource(pins, 'long-term', seed);
    const options = mergeFragments([smallestFragment, builtInCommandLine(target)]);
    const configuration = configure({ name: 'compiled', target, seed, source: tree, options });
    const stamp = write({
      name: 'stamp',
      files: { 'init/stamp.h': `/* ${env['CAIRN_BENCH_STAMP'] ?? ''} */\n` },
    });
    const source = compose({ name: 'stamped', parts: [tree, stamp] });
    const code = { target, seed, source, configuration } as const;
    const compileCache = kernelCompileCache(pins, target);
    return {
      cached: compileCode({ name: 'cached', ...code, compileCache }).image.derivation,
      plain: compileCode({ name: 'plain', ...code }).image.derivation,
    };
  },
});
