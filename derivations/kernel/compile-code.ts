// The step that compiles the kernel and its modules: from narrowed sources and a checked configuration to what is installed.

import {
  from,
  run,
  write,
  type Derivation,
  type Input,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import type { Configuration } from './configure.ts';
import compileCodeScript from './compile-code.sh';
import { configurationPlaces, incremental, makeEnvironment, makeFunction } from './make.ts';
import { codeOf } from './narrowed.ts';
import planBuild from './plan-build.py';

export interface ToCompile {
  readonly name: string;
  readonly target: Target;
  readonly seed: InputLike;
  readonly source: Derivation;
  readonly configuration: Configuration;
}

export interface CompiledCode {
  /** A tree with one file, `kernel`. */
  readonly image: Input;
  /** A tree for the root: usr/lib/modules/RELEASE. */
  readonly modules: Input;
}

/** @example compileCode({ name: 'kernel', target, seed, source, configuration }).image */
export function compileCode({ name, target, seed, source, configuration }: ToCompile): CompiledCode {
  const build = run({
    name,
    target,
    layers: [seed],
    inputs: {
      '/source': codeOf(source, target),
      [configurationPlaces.config]: configuration.config,
      [configurationPlaces.settings]: configuration.settings,
      '/programs': programs,
    },
    env: { ...makeEnvironment(target), file: imageFiles[target] },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', `${makeFunction}${compileCodeScript}`],
    outputs: ['image', 'modules'],
    limits: { memoryBytes: 8 * 1024 ** 3 },
    incremental,
  });
  return { image: from(build, { output: 'image' }), modules: from(build, { output: 'modules' }) };
}

const imageFiles: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'arch/arm64/boot/Image',
  'x86_64-linux': 'arch/x86/boot/bzImage',
};

const programs = write({ name: 'kernel-programs', files: { 'plan-build.py': planBuild } });
