// The step that compiles a kernel once more with records for debuggers, and finds it to be the same but for them.

import { run, write, type Run } from '../../engine/model/index.ts';
import buildCode from './build-code.sh';
import type { CompiledCode, ToCompile } from './compile-code.ts';
import debugRecords from './debug-records.sh';
import giveDebug from './give-debug.sh';
import linkWithoutRecords from './link-without-records.sh';
import { configurationPlaces, imageFiles, incremental, makeEnvironment, makeFunction } from './make.ts';
import { codeOf } from './narrowed.ts';
import planBuild from './plan-build.py';

/**
 * A tree with vmlinux and its modules with DWARF, System.map, and the kernel's own scripts for GDB. It is there only when
 * image and modules come out as those that are given.
 */
export function compileDebug(
  { name, target, seed, source, configuration }: ToCompile,
  { image, modules, symbols }: CompiledCode,
): Run {
  return run({
    name: `${name}-debug`,
    target,
    layers: [seed],
    inputs: {
      '/source': codeOf(source, target),
      [configurationPlaces.config]: configuration.config,
      [configurationPlaces.settings]: configuration.settings,
      '/programs': programs,
      '/image': image,
      '/modules': modules,
      '/symbols': symbols,
    },
    env: { ...makeEnvironment(target), file: imageFiles[target] },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', `${makeFunction}${debugRecords}${buildCode}${giveDebug}`],
    limits: { memoryBytes: 8 * 1024 ** 3 },
    incremental,
  });
}

const programs = write({
  name: 'kernel-debug-programs',
  files: { 'plan-build.py': planBuild, ld: { text: linkWithoutRecords, executable: true } },
});
